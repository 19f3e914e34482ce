#include "meta/ops/service_properties.h"

#include "meta/ops/cell_test_fixture.h"

namespace tombolo::meta {
namespace {

class ServiceRows : public CellTest {
 protected:
  std::string document(std::string account) {
    const auto found = must(get_service_properties(cell, std::move(account)));
    return found ? found->document : "none";
  }
};
TOMBOLO_CELL_TESTS(ServiceRows);

TEST_P(ServiceRows, AChangeSeesWhatWasThereAndStampsIt) {
  EXPECT_EQ(document("acc"), "none");
  const ChangeDocument add = [](std::string_view before) -> Result<std::string> { return std::string(before) + "x"; };
  must(change_service_properties(cell, "acc", add));
  const Stamp first = must(get_service_properties(cell, "acc"))->changed;
  must(change_service_properties(cell, "acc", add));
  EXPECT_EQ(document("acc"), "xx");
  EXPECT_GT(must(get_service_properties(cell, "acc"))->changed, first);
  EXPECT_EQ(document("other"), "none");
}

TEST_P(ServiceRows, ARefusedChangeChangesNothing) {
  const ChangeDocument refuse = [](std::string_view) -> Result<std::string> { return Error{Code::kInvalid, "no"}; };
  EXPECT_EQ(error_of(change_service_properties(cell, "acc", refuse)).code, Code::kInvalid);
  const ChangeDocument large = [](std::string_view) -> Result<std::string> {
    return std::string(kServiceDocumentBytesMax + 1, 'x');
  };
  EXPECT_EQ(error_of(change_service_properties(cell, "acc", large)).code, Code::kInvalid);
  EXPECT_EQ(document("acc"), "none");
}

}  // namespace
}  // namespace tombolo::meta
