// 10,000 names (js_sdk_test.py puts them): page by page, from tokens, and folder by folder.
import assert from "node:assert/strict";
import { test } from "node:test";
import { container, refused, service } from "./harness.mjs";

const COUNT = Number(process.env.MANY);
const NAMES = Array.from({ length: COUNT }, (_, number) => {
  const digits = String(number).padStart(5, "0");
  return `a/${digits.slice(0, 3)}/${digits}`;
});
const many = service().getContainerClient("many");

test("page by page", async () => {
  const sizes = [], names = [];
  for await (const page of many.listBlobsFlat().byPage({ maxPageSize: 700 })) {
    sizes.push(page.segment.blobItems.length);
    for (const blob of page.segment.blobItems) {
      names.push(blob.name);
      assert.equal(blob.properties.contentLength, blob.name.length);
    }
  }
  assert.deepEqual(sizes, [...Array(14).fill(700), 200]);
  assert.deepEqual(names, NAMES);
});

test("pages of the server's size", async () => {
  const sizes = [];
  for await (const page of many.listBlobsFlat().byPage()) sizes.push(page.segment.blobItems.length);
  assert.deepEqual(sizes, [5000, 5000]);
});

test("from a continuation token, by another client", async () => {
  const first = (await many.listBlobsFlat().byPage({ maxPageSize: 1234 }).next()).value;
  const rest = [];
  const pages = service().getContainerClient("many").listBlobsFlat()
    .byPage({ continuationToken: first.continuationToken, maxPageSize: 5000 });
  for await (const page of pages) rest.push(...page.segment.blobItems.map((blob) => blob.name));
  assert.deepEqual([...first.segment.blobItems.map((blob) => blob.name), ...rest], NAMES);
  await refused(many.listBlobsFlat().byPage({ continuationToken: "foreign" }).next(), 400,
    "InvalidQueryParameterValue");
});

test("folder by folder", async () => {
  const found = [];
  let folders = 0;
  async function walk(prefix) {
    folders++;
    for await (const item of many.listBlobsByHierarchy("/", { prefix })) {
      if (item.kind === "prefix") await walk(item.name);
      else found.push(item.name);
    }
  }
  await walk("");
  assert.deepEqual(found, NAMES);
  assert.equal(folders, 1 + 1 + COUNT / 100);
});

test("prefixes and blobs in one order, in pages", async () => {
  const box = await container("mixed");
  for (const name of ["b", "a/1", "a/2", "c/x/1", "c", "a", "d//e"]) await box.uploadBlockBlob(name, "", 0);
  const pages = [];
  for await (const page of box.listBlobsByHierarchy("/").byPage({ maxPageSize: 2 })) {
    pages.push([(page.segment.blobPrefixes ?? []).map((each) => each.name),
      page.segment.blobItems.map((each) => each.name)]);
  }
  assert.deepEqual(pages, [[["a/"], ["a"]], [[], ["b", "c"]], [["c/", "d/"], []]]);
  const below = [];
  for await (const item of box.listBlobsByHierarchy("/", { prefix: "d/" })) below.push([item.kind, item.name]);
  assert.deepEqual(below, [["prefix", "d//"]]);
});
