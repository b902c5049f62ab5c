import { expect, test } from "bun:test";
import { silentLog } from "@kelp/base";
import { errorResponse } from "./error-response.ts";

const roomError = (name: string, code: string): Error =>
  Object.assign(new Error("Cannot do it"), { name, code });

const answer = async (error: unknown) => {
  const response = errorResponse(error, silentLog);
  const body = (await response.json()) as { error: { code: string; message: string } };
  return [response.status, body.error.code];
};

test("refusals of other rooms keep their meaning", async () => {
  expect(await answer(roomError("IamError", "no-such-identity"))).toEqual([
    404,
    "no-such-identity",
  ]);
  expect(await answer(roomError("IamError", "key-exists"))).toEqual([409, "key-exists"]);
  expect(await answer(roomError("IamError", "unknown-action"))).toEqual([400, "invalid-identity"]);
  expect(await answer(roomError("MasterError", "no-writable-volume"))).toEqual([
    503,
    "unavailable",
  ]);
});

test("what nobody foresaw is 500 and tells the caller nothing of the inside", async () => {
  const response = errorResponse(new Error("secret path /etc"), silentLog);
  expect([response.status, await response.text()]).toEqual([
    500,
    expect.not.stringContaining("secret") as unknown as string,
  ]);
});
