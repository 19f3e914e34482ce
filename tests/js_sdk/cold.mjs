// Objects that were offloaded to a directory and evicted: the SDK does not see it.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { before, test } from "node:test";
import { bytes, container, counts, faults, proxied, read, readOn, refused, same, stumble, tombolo } from "./harness.mjs";

const MIB = 1 << 20;
const FILES = new Map([4_097, 16_384, 1_000_000, 8 * MIB, 20 * MIB + 1]
  .map((size) => [`dir/${size} \u00e9+%.bin`, bytes(size, size)]));
let box;

before(async () => {
  box = await container("cold");
  for (const [name, data] of FILES) {
    await box.getBlockBlobClient(name).uploadData(data, { blockSize: 4 * MIB, maxSingleShotSize: 4 * MIB, concurrency: 3 });
  }
  const archive = `${process.env.FOLDER}/archive`;
  await mkdir(archive);
  await tombolo("remote", "add", "archive", "--kind", "file", "--endpoint", archive);
});

async function listed() {
  const found = [];
  for await (const { name, properties: p } of box.listBlobsFlat()) {
    found.push([name, p.etag, p.contentLength, p.lastModified.getTime(), p.contentMD5 && Buffer.from(p.contentMD5).toString("hex")]);
  }
  return found;
}

test("offloading changes nothing that a listing tells", async () => {
  const before = await listed();
  const job = await tombolo("offload", "cold", "--to", "archive", "--evict");
  assert.deepEqual([job.state, job.progress.objects_done, job.progress.objects_failed], ["done", FILES.size, 0]);
  assert.deepEqual(await listed(), before);
});

test("cold objects are read whole, in parallel and in ranges", async () => {
  for (const [name, data] of FILES) {
    const blob = box.getBlobClient(name);
    same(await read((await blob.download()).readableStreamBody), data);
    same(await blob.downloadToBuffer(0, undefined, { blockSize: MIB, concurrency: 4 }), data);
    for (let number = 0; number < 10; number++) {
      const offset = (number * 7_654_321) % data.length, count = Math.min(1 + number * 12_345, data.length - offset);
      same(await blob.downloadToBuffer(offset, count), data.subarray(offset, offset + count));
    }
    await refused(blob.download(data.length, 1), 416, "InvalidRange");
    const { etag } = await blob.getProperties();
    await refused(blob.download(0, undefined, { conditions: { ifNoneMatch: etag } }), 304, "ConditionNotMet");
  }
});

test("a cold download that stumbles or is cut goes on", async () => {
  const [name, data] = [...FILES].at(-1);
  const { readableStreamBody } = await box.getBlobClient(name).download();
  stumble(readableStreamBody);
  same(await read(readableStreamBody), data);
  await faults([{ method: "GET", do: "truncate", bytes: 6 * MIB, times: 3 }]);
  same(await readOn(proxied().getContainerClient("cold").getBlobClient(name)), data);
  assert.equal((await counts()).by_method.GET, 4);
  await faults([]);
});

test("new bytes replace cold ones", async () => {
  const blob = box.getBlockBlobClient([...FILES.keys()][2]);
  await blob.upload("hot again", 9);
  same(await blob.downloadToBuffer(), Buffer.from("hot again"));
});
