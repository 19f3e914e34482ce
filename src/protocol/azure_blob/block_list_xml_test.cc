#include "protocol/azure_blob/block_list_xml.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/encoding.h"
#include "base/units.h"
#include "protocol/azure_blob/refusal_test.h"

namespace tombolo::azure_blob {
namespace {

std::string list_of(std::string_view body) {
  const auto blocks = parse_block_list(body);
  if (!blocks.ok()) return code(blocks);
  std::string out;
  for (const store::BlockChoice& block : *blocks) {
    out += block.source == store::BlockSource::kCommitted ? 'C'
           : block.source == store::BlockSource::kLatest  ? 'L'
                                                          : 'U';
    out += block.block_id;
  }
  return out;
}

TEST(BlockList, IsParsedStrictly) {
  const struct {
    std::string_view body, expected;
  } cases[] = {
      {"<BlockList><Latest>YQ==</Latest><Committed>Yg==</Committed><Uncommitted>Yw==</Uncommitted></BlockList>",
       "LaCbUc"},
      {"\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<!-- c -->\n<BlockList>\n <Latest> YQ==\n</Latest>\n"
       "</BlockList>\n",
       "La"},
      {"<BlockList/>", ""},
      {"<BlockList><Latest>Y&#81;==</Latest></BlockList>", "La"},
      {"<BlockList><Latest><![CDATA[YQ==]]></Latest></BlockList>", "La"},
      {"", "InvalidXmlDocument"},
      {"<BlockList>", "InvalidXmlDocument"},
      {"<BlockList></BlockLisd>", "InvalidXmlDocument"},
      {"<BlockList/><BlockList/>", "InvalidXmlDocument"},
      {"<BlockList/>tail", "InvalidXmlDocument"},
      {"<BlockList/>&#0;tail", "InvalidXmlDocument"},
      {"<BlockList/>\n&#x000;", "InvalidXmlDocument"},
      {"<BlockList/>&#4294967296;", "InvalidXmlDocument"},
      {"head<BlockList/>", "InvalidXmlDocument"},
      {"<BlockList>text</BlockList>", "InvalidXmlDocument"},
      {"<Blocks/>", "InvalidXmlDocument"},
      {"<BlockList x='1'/>", "InvalidXmlDocument"},
      {"<BlockList><Newest>YQ==</Newest></BlockList>", "InvalidXmlDocument"},
      {"<BlockList><Latest x='1'>YQ==</Latest></BlockList>", "InvalidXmlDocument"},
      {"<BlockList><Latest><b>YQ==</b></Latest></BlockList>", "InvalidXmlDocument"},
      {"<!DOCTYPE BlockList><BlockList/>", "InvalidXmlDocument"},
      {"<!DOCTYPE b [<!ENTITY e \"YQ==\">]><BlockList><Latest>&e;</Latest></BlockList>", "InvalidXmlDocument"},
      {"<?php x?><BlockList/>", "InvalidXmlDocument"},
      {"<BlockList><Latest>\xFF</Latest></BlockList>", "InvalidXmlDocument"},
      {"<BlockList><Latest></Latest></BlockList>", "InvalidBlockId"},
      {"<BlockList><Latest>!!</Latest></BlockList>", "InvalidBlockId"},
      {"<BlockList><Latest>&e;</Latest></BlockList>", "InvalidBlockId"},
  };
  for (const auto& row : cases) EXPECT_EQ(list_of(row.body), row.expected) << row.body;
}

TEST(BlockList, IsBounded) {
  const auto list = [](std::size_t count, std::string_view element) {
    std::string body = "<BlockList>";
    for (std::size_t i = 0; i < count; ++i) body += element;
    return body + "</BlockList>";
  };
  EXPECT_EQ(parse_block_list(list(50'000, "<Latest>YQ==</Latest>"))->size(), 50'000U);
  EXPECT_EQ(code(parse_block_list(list(50'001, "<Latest>YQ==</Latest>"))), "BlockListTooLong");
  EXPECT_EQ(code(parse_block_list(list(1'000'000, "<!---->"))), "BlockListTooLong");
  std::string deep, hidden;
  for (int i = 0; i < 200'000; ++i) deep += "<a>";
  for (int i = 0; i < 50'000; ++i) hidden += "<a b='/>'>";
  EXPECT_EQ(code(parse_block_list(deep)), "InvalidXmlDocument");
  EXPECT_EQ(code(parse_block_list(hidden)), "InvalidXmlDocument");
  EXPECT_EQ(code(parse_block_id(base64_encode(to_bytes(std::string(64, 'x'))))), "ok");
  EXPECT_EQ(code(parse_block_id(base64_encode(to_bytes(std::string(65, 'x'))))), "InvalidBlockId");
}

// Each of these tags would end at the one ">" behind 8 MiB: looked for from each of them, it takes minutes.
TEST(BlockList, TakesTimeInProportionToItsBytes) {
  const std::string body = std::string(200'000, '<') + std::string(8 * kMiB - 300'000, 'a') + "/>";
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(code(parse_block_list(body)), "InvalidXmlDocument");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5));
}

}  // namespace
}  // namespace tombolo::azure_blob
