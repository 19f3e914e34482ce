// Large bytes: in parallel, from files and streams, over connections that break.
import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { before, test } from "node:test";
import { bytes, container, counts, faults, proxied, read, readOn, refused, same, stumble } from "./harness.mjs";

const MIB = 1 << 20;
const DATA = bytes(24 * MIB + 12_345);
const path = (name) => `${process.env.FOLDER}/${name}`;
let box;
before(async () => {
  box = await container("transfers");
  await writeFile(path("source"), DATA);
});

const PARALLEL = { blockSize: MIB, concurrency: 4, maxSingleShotSize: MIB };

test("uploadFile and downloadToFile", async () => {
  const blob = box.getBlockBlobClient("file");
  let told = 0;
  await blob.uploadFile(path("source"), { ...PARALLEL, metadata: { a: "1" },
    blobHTTPHeaders: { blobContentType: "text/x" }, onProgress: ({ loadedBytes }) => { told = loadedBytes; } });
  assert.equal(told, DATA.length);
  assert.equal((await blob.getBlockList("committed")).committedBlocks.length, 25);
  const properties = await blob.getProperties();
  assert.deepEqual([properties.contentLength, properties.contentType, properties.metadata],
    [DATA.length, "text/x", { a: "1" }]);
  await blob.downloadToFile(path("back"));
  same(await readFile(path("back")), DATA);
});

test("uploadFile in one request", async () => {
  const blob = box.getBlockBlobClient("single");
  await blob.uploadFile(path("source"));
  assert.equal((await blob.getBlockList("committed")).committedBlocks?.length ?? 0, 0);
  same(await blob.downloadToBuffer(), DATA);
});

test("uploadStream of streams that tell no length", async () => {
  async function* pieces() {
    for (let at = 0; at < DATA.length; at += 300_000) yield DATA.subarray(at, at + 300_000);
  }
  for (const [name, stream] of [["generator", Readable.from(pieces())], ["file", createReadStream(path("source"))]]) {
    const blob = box.getBlockBlobClient(`stream-${name}`);
    await blob.uploadStream(stream, MIB, 4);
    same(await blob.downloadToBuffer(0, undefined, { blockSize: MIB, concurrency: 5 }), DATA);
  }
  const empty = box.getBlockBlobClient("stream-empty");
  await empty.uploadStream(Readable.from([]), MIB, 4);
  same(await empty.downloadToBuffer(), Buffer.alloc(0));
});

test("uploadData and downloadToBuffer in parallel, whole and in part", async () => {
  const blob = box.getBlockBlobClient("data");
  await blob.uploadData(DATA, PARALLEL);
  same(await blob.downloadToBuffer(0, undefined, { blockSize: 700_000, concurrency: 6 }), DATA);
  same(await blob.downloadToBuffer(MIB - 1, 9 * MIB, { blockSize: MIB, concurrency: 4 }),
    DATA.subarray(MIB - 1, 10 * MIB - 1));
  await refused(blob.uploadData(DATA, { ...PARALLEL, conditions: { ifNoneMatch: "*" } }), 409, "BlobAlreadyExists");
});

test("CRC64 of everything that is sent and read", async () => {
  const blob = box.getBlockBlobClient("crc64"), check = { contentChecksumAlgorithm: "StorageCrc64" };
  await blob.uploadData(DATA, { ...PARALLEL, ...check });
  same(await blob.downloadToBuffer(0, undefined, { blockSize: 6 * MIB, concurrency: 2, ...check }), DATA);
  same(await read((await blob.download(0, undefined, check)).readableStreamBody), DATA);
  same(await read((await blob.download(5 * MIB + 1, 9 * MIB, check)).readableStreamBody),
    DATA.subarray(5 * MIB + 1, 14 * MIB + 1));
  await blob.uploadStream(Readable.from([DATA.subarray(0, 999_999)]), MIB, 2, check);
  same(await blob.downloadToBuffer(), DATA.subarray(0, 999_999));
  // Of no content the SDK announces a message that it does not finish (observed, 12.32.0, 2026-11-21).
  for (const size of [0, 1, 70_000]) {
    await blob.upload(DATA.subarray(0, size), size, size ? check : {});
    same(await read((await blob.download(0, undefined, check)).readableStreamBody), DATA.subarray(0, size));
  }
});

test("bytes that are damaged on their way are refused", async () => {
  const check = { contentChecksumAlgorithm: "StorageCrc64" }, data = DATA.subarray(0, 3 * MIB);
  const far = proxied().getContainerClient("transfers").getBlockBlobClient("damaged");
  await faults([{ method: "PUT", do: "flip_up", bytes: 5_000 }]);
  await refused(far.upload(data, data.length, check), 400, "Crc64Mismatch");
  await refused(far.stageBlock("YQ==", data, data.length, check), 400, "Crc64Mismatch");
  await faults([]);
  assert.equal(await far.exists(), false);
  await far.upload(data, data.length, check);
  same(await far.downloadToBuffer(), data);
});

test("a download that stumbles goes on by itself where it was", async () => {
  await box.getBlockBlobClient("stumbles").uploadData(DATA);
  const far = proxied().getContainerClient("transfers").getBlobClient("stumbles");
  await faults([]);
  const { readableStreamBody } = await far.download();
  stumble(readableStreamBody);
  same(await read(readableStreamBody), DATA);
  assert.equal((await counts()).by_method.GET, 2);
});

test("a download that stumbles never goes on with other bytes", async () => {
  const blob = box.getBlockBlobClient("changes");
  await blob.uploadData(DATA);
  const { readableStreamBody } = await blob.download();
  await blob.upload("other", 5);
  stumble(readableStreamBody);
  await refused(read(readableStreamBody), 412, "ConditionNotMet");
});

test("a connection cut in the middle is an error, and the rest comes by range", async () => {
  await box.getBlockBlobClient("cut").uploadData(DATA);
  const far = proxied().getContainerClient("transfers").getBlobClient("cut");
  await faults([{ method: "GET", do: "truncate", bytes: 5 * MIB, times: 4 }]);
  same(await readOn(far), DATA);
  const passed = await counts();
  assert.equal(passed.by_method.GET, 5);
  assert.ok(passed.bytes_down <= DATA.length + 3 * MIB, "it began anew instead of going on");
  await faults([]);
});

test("an upload over a bad connection", async () => {
  await faults([{ method: "PUT", path: "comp=block&", do: "drop_after", times: 3 },
    { method: "PUT", path: "comp=block&", do: "status", status: 503, code: "ServerBusy", times: 3 },
    { method: "PUT", path: "comp=blocklist", do: "status_after", status: 500, code: "InternalError", times: 1 }]);
  const blob = proxied().getContainerClient("transfers").getBlockBlobClient("bad");
  await blob.uploadData(DATA, PARALLEL);
  assert.equal((await counts()).by_method.PUT, 25 + 6 + 2);
  await faults([]);
  same(await blob.downloadToBuffer(), DATA);
  assert.equal((await blob.getBlockList("all")).uncommittedBlocks?.length ?? 0, 0);
});
