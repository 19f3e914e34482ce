// Requests that must fail: conditions, and what a SAS does not reach.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { bytes, container, read, refused, same, sdk, service } from "./harness.mjs";

const DATA = bytes(5_000);
const HOUR = 3_600_000;
const inTime = (ms) => new Date(Date.now() + ms);
let box;
before(async () => { box = await container("rules"); });

async function fresh(name) {
  const blob = box.getBlockBlobClient(name);
  await blob.upload(DATA, DATA.length);
  return { blob, ...(await blob.getProperties()) };
}

test("conditions of reads", async () => {
  const { blob, etag, lastModified } = await fresh("reads");
  const second = (by) => new Date(lastModified.getTime() + by * 1000);
  const reads = [(conditions) => blob.download(0, undefined, { conditions }).then((got) => read(got.readableStreamBody)),
    (conditions) => blob.download(5, 7, { conditions }).then((got) => read(got.readableStreamBody)),
    (conditions) => blob.getProperties({ conditions })];
  for (const ask of reads) {
    for (const holds of [{ ifMatch: etag }, { ifMatch: "*" }, { ifNoneMatch: '"0x1"' }, { ifModifiedSince: second(-1) },
      { ifUnmodifiedSince: second(0) }, { ifMatch: `"0x1", ${etag}` }]) {
      await ask(holds);
    }
    for (const unmodified of [{ ifNoneMatch: etag }, { ifModifiedSince: second(0) }, { ifModifiedSince: inTime(HOUR) }]) {
      await refused(ask(unmodified), 304, "ConditionNotMet");
    }
    for (const modified of [{ ifMatch: '"0x1"' }, { ifUnmodifiedSince: second(-1) }]) {
      await refused(ask(modified), 412, "ConditionNotMet");
    }
  }
});

test("conditions of writes", async () => {
  const { blob, etag, lastModified } = await fresh("writes");
  const before = new Date(lastModified.getTime() - 1000);
  const writes = [(conditions) => blob.setMetadata({ a: "b" }, { conditions }),
    (conditions) => blob.setHTTPHeaders({}, { conditions }),
    (conditions) => blob.upload("new", 3, { conditions }),
    (conditions) => blob.commitBlockList([], { conditions }),
    (conditions) => blob.delete({ conditions })];
  for (const write of writes) {
    for (const conditions of [{ ifMatch: '"0x1"' }, { ifNoneMatch: etag }, { ifModifiedSince: lastModified },
      { ifUnmodifiedSince: before }]) {
      await refused(write(conditions), 412, "ConditionNotMet");
    }
  }
  assert.equal((await blob.getProperties()).etag, etag);
  for (const write of writes) await write({ ifMatch: (await blob.getProperties()).etag });
  assert.equal(await blob.exists(), false);
  await refused(writes[2]({ ifMatch: etag }), 412, "ConditionNotMet");
});

test("only where nothing is", async () => {
  const { blob } = await fresh("new"), conditions = { ifNoneMatch: "*" };
  const id = Buffer.from("a").toString("base64");
  await refused(blob.upload("1", 1, { conditions }), 409, "BlobAlreadyExists");
  await blob.stageBlock(id, "1", 1);
  await refused(blob.commitBlockList([id], { conditions }), 409, "BlobAlreadyExists");
  same(await blob.downloadToBuffer(), DATA);
  // Many at once: one wins.
  const racers = Array.from({ length: 12 }, (_, number) =>
    box.getBlockBlobClient("race").upload(String(number % 10), 1, { conditions }).then(() => number % 10, (error) => error.code));
  const ended = await Promise.all(racers), won = ended.filter((each) => typeof each === "number");
  assert.equal(won.length, 1);
  assert.ok(ended.every((each) => typeof each === "number" || each === "BlobAlreadyExists"), ended.join());
  same(await box.getBlockBlobClient("race").downloadToBuffer(), Buffer.from(String(won[0])));
});

test("a SAS that the SDK makes for a blob", async () => {
  const { blob } = await fresh("dir/a b%.txt");
  const permissions = sdk.BlobSASPermissions.parse("r");
  const url = await blob.generateSasUrl({ permissions, expiresOn: inTime(HOUR), contentType: "text/from-sas" });
  const reader = new sdk.BlockBlobClient(url);
  const got = await reader.download();
  assert.equal(got.contentType, "text/from-sas");
  same(await read(got.readableStreamBody), DATA);
  await refused(reader.delete(), 403, "AuthorizationPermissionMismatch");
  await refused(reader.upload("1", 1), 403, "AuthorizationPermissionMismatch");
  await refused(reader.stageBlock("YQ==", "1", 1), 403, "AuthorizationPermissionMismatch");
  const wrong = async (options) => new sdk.BlockBlobClient(await blob.generateSasUrl({ permissions, ...options }));
  await refused((await wrong({ expiresOn: inTime(-1000) })).download(), 403, "AuthenticationFailed");
  await refused((await wrong({ startsOn: inTime(HOUR), expiresOn: inTime(2 * HOUR) })).download(), 403,
    "AuthenticationFailed");
  await refused(new sdk.BlockBlobClient(url.replace("sp=r", "sp=rw")).download(), 403, "AuthenticationFailed");
});

test("a SAS that the SDK makes for a container", async () => {
  await fresh("listed");
  const url = await box.generateSasUrl({ permissions: sdk.ContainerSASPermissions.parse("rl"), expiresOn: inTime(HOUR) });
  const reader = new sdk.ContainerClient(url), names = [];
  for await (const blob of reader.listBlobsFlat()) names.push(blob.name);
  assert.ok(names.includes("listed"));
  same(await reader.getBlobClient("listed").downloadToBuffer(), DATA);
  await refused(reader.uploadBlockBlob("new", "1", 1), 403, "AuthorizationPermissionMismatch");
  await refused(reader.delete(), 403, "AuthorizationFailure");
  const elsewhere = new sdk.ContainerClient(url.replace("/rules?", "/other?"));
  await refused(elsewhere.listBlobsFlat().next(), 403, "AuthenticationFailed");
});

test("a SAS that the SDK makes for the account", async () => {
  const sas = (permissions, resources = "sco", expires = inTime(HOUR)) => new sdk.BlobServiceClient(
    service().generateAccountSasUrl(expires, sdk.AccountSASPermissions.parse(permissions), resources));
  const made = (await sas("racwdl").createContainer("by-account-sas")).containerClient;
  const { blockBlobClient } = await made.uploadBlockBlob("x y%z", DATA, DATA.length);
  same(await blockBlobClient.downloadToBuffer(), DATA);
  await made.delete();
  const blob = (from) => from.getContainerClient("rules").getBlobClient("listed");
  await fresh("listed");
  await refused(blob(sas("wl")).download(), 403, "AuthorizationPermissionMismatch");
  await refused(blob(sas("r", "sc")).download(), 403, "AuthorizationResourceTypeMismatch");
  await refused(blob(sas("r", "sco", inTime(-1000))).download(), 403, "AuthenticationFailed");
  await refused(new sdk.BlobClient(blob(service()).url).download(), 401, "NoAuthenticationInformation");
});
