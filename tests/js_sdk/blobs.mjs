// Containers and blobs: made, read, changed, deleted; names; what is not built.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, test } from "node:test";
import { bytes, container, read, refused, same, service } from "./harness.mjs";

const DATA = bytes(10_000);
let box;
before(async () => { box = await container("blobs"); });

test("a container is created, described, changed and deleted", async () => {
  const made = service().getContainerClient("life");
  assert.equal((await made.createIfNotExists({ metadata: { Purpose: "test" } })).succeeded, true);
  assert.equal((await made.createIfNotExists()).succeeded, false);
  await refused(made.create(), 409, "ContainerAlreadyExists");
  const before = await made.getProperties();
  assert.deepEqual([before.metadata, before.leaseState], [{ purpose: "test" }, "available"]);
  await made.setMetadata({ other: "1" });
  const after = await made.getProperties();
  assert.deepEqual(after.metadata, { other: "1" });
  assert.notEqual(after.etag, before.etag);
  const listed = [];
  for await (const each of service().listContainers({ prefix: "li", includeMetadata: true })) listed.push(each);
  assert.deepEqual(listed.map((each) => [each.name, each.metadata, each.properties.etag]),
    [["life", { other: "1" }, after.etag]]);
  assert.equal((await made.deleteIfExists()).succeeded, true);
  assert.equal((await made.deleteIfExists()).succeeded, false);
  assert.equal(await made.exists(), false);
  await refused(made.getProperties(), 404, "ContainerNotFound");
});

test("the account tells what it is", async () => {
  const about = await service().getAccountInfo();
  assert.deepEqual([about.skuName, about.accountKind], ["Standard_LRS", "StorageV2"]);
});

test("blobs of many sizes go up and come back", async () => {
  for (const size of [0, 1, 4095, 4096, 4097, 1 << 20, (5 << 20) + 3]) {
    const data = bytes(size, size + 1), blob = box.getBlockBlobClient(`size/${size}`);
    const put = await blob.upload(data, data.length);
    assert.match(put.etag, /^"0x[0-9A-F]+"$/);
    same(await read((await blob.download()).readableStreamBody), data);
    same(await blob.downloadToBuffer(), data);
    const properties = await blob.getProperties();
    assert.deepEqual([properties.contentLength, properties.blobType, properties.etag], [size, "BlockBlob", put.etag]);
    assert.deepEqual(Buffer.from(properties.contentMD5), createHash("md5").update(data).digest());
    assert.equal((await blob.deleteIfExists()).succeeded, true);
    assert.equal((await blob.deleteIfExists()).succeeded, false);
    await refused(blob.download(), 404, "BlobNotFound");
    assert.equal(await blob.exists(), false);
  }
});

test("headers and metadata stay, and are replaced", async () => {
  const blob = box.getBlockBlobClient("headers");
  const blobHTTPHeaders = { blobContentType: "text/x", blobContentEncoding: "zip", blobContentLanguage: "eo",
    blobContentDisposition: "inline", blobCacheControl: "no-cache" };
  const told = (p) => [p.contentType, p.contentEncoding, p.contentLanguage, p.contentDisposition, p.cacheControl];
  await blob.upload(DATA, DATA.length, { blobHTTPHeaders, metadata: { One: "1", two: "zwei" } });
  const wanted = ["text/x", "zip", "eo", "inline", "no-cache"];
  const properties = await blob.getProperties();
  assert.deepEqual(told(properties), wanted);
  assert.deepEqual(properties.metadata, { one: "1", two: "zwei" });
  const [listed] = (await box.listBlobsFlat({ prefix: "headers", includeMetadata: true }).byPage().next()).value
    .segment.blobItems;
  assert.deepEqual(told(listed.properties), wanted);
  assert.deepEqual(listed.metadata, { One: "1", two: "zwei" });
  await blob.setMetadata({ three: "3" });
  await blob.setHTTPHeaders({ blobContentType: "text/y" });
  const after = await blob.getProperties();
  assert.deepEqual([after.contentType, after.contentEncoding, after.metadata], ["text/y", undefined, { three: "3" }]);
  assert.notEqual(after.etag, properties.etag);
  same(await blob.downloadToBuffer(), DATA);
});

test("ranges", async () => {
  const blob = box.getBlockBlobClient("ranges");
  await blob.upload(DATA, DATA.length);
  for (const [offset, count] of [[0, 1], [255, 2], [9_999, 1], [100, 5_000], [9_000, 99_999], [7, undefined]]) {
    const got = await blob.download(offset, count);
    assert.equal(got._response.status, 206);
    same(await read(got.readableStreamBody), DATA.subarray(offset, count && offset + count));
  }
  await refused(blob.download(10_000, 1), 416, "InvalidRange");
  await refused(box.getBlockBlobClient("absent").download(), 404, "BlobNotFound");
});

test("blocks are staged, listed and committed", async () => {
  const blob = box.getBlockBlobClient("blocks"), id = (text) => Buffer.from(text).toString("base64");
  for (const text of ["a", "b", "c"]) await blob.stageBlock(id(text), text.repeat(1000), 1000);
  await refused(blob.getProperties(), 404, "BlobNotFound");
  const staged = await blob.getBlockList("all");
  assert.deepEqual([staged.committedBlocks ?? [], staged.uncommittedBlocks],
    [[], ["a", "b", "c"].map((text) => ({ name: id(text), size: 1000 }))]);
  await blob.commitBlockList([id("b"), id("a"), id("b")], { metadata: { m: "1" } });
  same(await blob.downloadToBuffer(), Buffer.from("b".repeat(1000) + "a".repeat(1000) + "b".repeat(1000)));
  const done = await blob.getBlockList("all");
  assert.deepEqual([done.committedBlocks.map((block) => block.name), done.uncommittedBlocks ?? []],
    [[id("b"), id("a"), id("b")], []]);
  await refused(blob.commitBlockList([id("z")]), 400, "InvalidBlockList");
});

test("names with every kind of character", async () => {
  const names = ["plain", "with space", "per%cent%41", "a+b&c=d#e?f", "unicode \u00e9\u4e16\u{1f30a}", "trailing/",
    "a//b", "quote'\"<>", "n".repeat(1024), "~_-!$()*,;:@", "[brackets]{}|^`", "tab\tcontrol\u0001x"];
  const named = await container("names");
  for (const name of names) {
    const blob = named.getBlockBlobClient(name), data = Buffer.from(name);
    await blob.upload(data, data.length);
    same(await blob.downloadToBuffer(), data);
    assert.equal(blob.name, name);
  }
  const listed = [];
  for await (const blob of named.listBlobsFlat()) listed.push(blob.name);
  assert.deepEqual(listed.sort(), [...names].sort());
  for (const name of listed) await named.deleteBlob(name);
  assert.equal((await named.listBlobsFlat().next()).done, true);
});

test("checksums of what is sent and of ranges", async () => {
  const blob = box.getBlockBlobClient("checked"), md5 = createHash("md5").update(DATA).digest();
  const id = Buffer.from("a").toString("base64");
  await blob.stageBlock(id, DATA, DATA.length, { transactionalContentMD5: md5 });
  await blob.commitBlockList([id]);
  const wrong = createHash("md5").update("other").digest();
  await refused(blob.stageBlock(id, DATA, DATA.length, { transactionalContentMD5: wrong }), 400, "Md5Mismatch");
  await refused(blob.stageBlock(id, DATA, DATA.length, { transactionalContentCrc64: new Uint8Array(8) }), 400,
    "Crc64Mismatch");
  const range = await blob.download(0, 5_000, { rangeGetContentMD5: true });
  const got = await read(range.readableStreamBody);
  assert.deepEqual(Buffer.from(range.contentMD5), createHash("md5").update(got).digest());
  const staged = await blob.stageBlock(id, DATA.subarray(0, 5_000), 5_000);
  const crc = await blob.download(0, 5_000, { rangeGetContentCrc64: true });
  assert.deepEqual(crc.contentCrc64, staged.xMsContentCrc64, "the CRC64 of the same bytes, sent and read");
  assert.ok(crc.contentCrc64.some((byte) => byte !== 0));
  await read(crc.readableStreamBody);
});

test("what is not built is refused in words, and nothing is changed", async () => {
  const blob = box.getBlockBlobClient("refusals");
  const { etag } = await blob.upload(DATA, DATA.length);
  await refused(blob.createSnapshot(), 400, "UnsupportedQueryParameter");
  await refused(blob.setAccessTier("Cool"), 400, "UnsupportedQueryParameter");
  await refused(blob.setTags({ a: "1" }), 400, "UnsupportedQueryParameter");
  await refused(blob.getBlobLeaseClient().acquireLease(15), 400, "UnsupportedQueryParameter");
  await refused(blob.upload(DATA, DATA.length, { tags: { a: "1" } }), 400, "UnsupportedHeader");
  await refused(blob.upload(DATA, DATA.length, { tier: "Cool" }), 400, "UnsupportedHeader");
  await refused(blob.syncCopyFromURL(blob.url + "2"), 400, "UnsupportedHeader");
  await refused(box.getAppendBlobClient("append").create(), 400, "BlobTypeNotSupported");
  await refused(box.getPageBlobClient("page").create(512), 400, "BlobTypeNotSupported");
  await refused(blob.delete({ conditions: { leaseId: "00000000-0000-0000-0000-000000000001" } }), 412,
    "LeaseNotPresentWithBlobOperation");
  await refused(service().getBlobBatchClient().deleteBlobs([blob]), 400, "UnsupportedQueryParameter");
  assert.equal((await blob.getProperties()).etag, etag);
});
