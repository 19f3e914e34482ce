// What the cases share: the SDK, the account as its users reach it, the proxy's faults, the command line of tombolo.
// js_sdk_test.py sets the environment.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { promisify } from "node:util";

export const sdk = createRequire(`${process.env.JS_SDK}/`)("@azure/storage-blob");

const QUICK = { retryOptions: { maxTries: 6, retryDelayInMs: 1, maxRetryDelayInMs: 10 } };

/** The account under its connection string. */
export const service = () => sdk.BlobServiceClient.fromConnectionString(process.env.CONNECTION_STRING, QUICK);
/** The same behind the proxy, where faults() make trouble. */
export const proxied = () => sdk.BlobServiceClient.fromConnectionString(process.env.PROXIED_CONNECTION_STRING, QUICK);

/** A new container of this name. */
export async function container(name) {
  const box = service().getContainerClient(name);
  await box.create();
  return box;
}

/** Replaces the proxy's faults (tests/harness/lying_proxy.py) and forgets its counts. */
export async function faults(list) {
  await ask("/reset", {});
  await ask("/faults", list);
}

/** What passed since faults(): requests, by_method, … */
export const counts = async () => (await fetch(`${process.env.PROXY_CONTROL}/counts`)).json();

async function ask(path, body) {
  const answer = await fetch(process.env.PROXY_CONTROL + path, { method: "POST", body: JSON.stringify(body) });
  assert.equal(answer.status, 200);
}

/** `tombolo --json …` on the running server; what it printed, parsed. */
export async function tombolo(...args) {
  const { stdout } = await promisify(execFile)(process.env.TOMBOLO,
    ["--data", process.env.TOMBOLO_DATA, "--json", ...args]);
  return stdout.trim() ? JSON.parse(stdout) : null;
}

/** The promise fails with a RestError of this status and this code. */
export async function refused(promise, status, code) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.name, "RestError", String(error));
    assert.deepEqual([error.statusCode, error.code ?? error.details?.errorCode], [status, code], error.message);
    return true;
  });
}

/** Repeatable bytes that no compression and no mistake about offsets survives. */
export function bytes(length, seed = 1) {
  const out = Buffer.alloc(length);
  let state = seed >>> 0 || 1;
  for (let at = 0; at + 4 <= length; at += 4) {
    state ^= state << 13; state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5; state >>>= 0;
    out.writeUInt32LE(state, at);
  }
  for (let at = length - (length % 4); at < length; at++) out[at] = (seed + at) & 255;
  return out;
}

/** All of a stream. */
export async function read(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

/**
 * Makes the SDK lose its connection once, as its own tests do: it then asks for the rest by range and If-Match. A real
 * cut it does not survive: Node emits "aborted" before the end of a body that is cut short, and the SDK takes that for
 * the caller's own wish (observed, 12.32.0 on Node 20.20.2, 2026-11-21).
 */
export function stumble(stream) {
  stream.options.doInjectErrorOnce = true;
}

/** All of a blob, whatever breaks: keeps what came and asks for the rest of the same version. */
export async function readOn(blob) {
  const parts = [];
  let have = 0, etag;
  for (let tries = 0; tries < 20; tries++) {
    const answer = await blob.download(have, undefined, { conditions: { ifMatch: etag } });
    etag ??= answer.etag;
    try {
      for await (const part of answer.readableStreamBody) {
        parts.push(part);
        have += part.length;
      }
      return Buffer.concat(parts);
    } catch (error) {
      assert.equal(error.name, "AbortError", String(error));
    }
  }
  assert.fail("20 connections broke");
}

/** Byte comparison whose failure does not print megabytes. */
export function same(got, wanted) {
  assert.equal(got.length, wanted.length);
  assert.ok(got.equals(wanted), "the bytes differ");
}
