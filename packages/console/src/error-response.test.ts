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

test("why a volume could not be opened, and what helps, is told with it", async () => {
  const cause = Object.assign(new Error("there is no index: make one"), { name: "VolumeError" });
  const error = Object.assign(new Error("Cannot use volume 1", { cause }), {
    name: "VolumeError",
    code: "volume-failed",
  });
  expect(await errorResponse(error, silentLog).json()).toEqual({
    error: { code: "unavailable", message: "Cannot use volume 1: there is no index: make one" },
  });
  const other = Object.assign(new Error("Cannot use volume 1", { cause: new Error("secret") }), {
    name: "VolumeError",
    code: "volume-missing",
  });
  expect(await errorResponse(other, silentLog).text()).not.toContain("secret");
});

test("what nobody foresaw is 500 and tells the caller nothing of the inside", async () => {
  const response = errorResponse(new Error("secret path /etc"), silentLog);
  expect([response.status, await response.text()]).toEqual([
    500,
    expect.not.stringContaining("secret") as unknown as string,
  ]);
});
