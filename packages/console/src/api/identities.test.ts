import { expect, test } from "bun:test";
import { startConsole } from "../testing/console-server.ts";

const send = async (url: string, method: string, body?: unknown) => {
  const response = await fetch(url, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : (JSON.parse(text) as unknown) };
};

test("a secret is shown when its key is made and never again", async () => {
  await using console = await startConsole();
  const ann = `${console.url}/api/v1/identities/ann`;
  await send(ann, "PUT", { actions: ["Read:data"] });
  expect(await send(`${ann}/keys`, "POST")).toEqual({
    status: 201,
    body: { access_key: "KELPTEST1", secret_key: "secret-1" },
  });
  const list = await send(`${console.url}/api/v1/identities`, "GET");
  expect(list.body).toMatchObject({
    identities: [{ name: "ann", actions: ["Read:data"], keys: [{ access_key: "KELPTEST1" }] }],
  });
  expect(JSON.stringify(list.body)).not.toContain("secret-1");
});

test("changing the actions keeps statements and the disabled state", async () => {
  await using console = await startConsole();
  const statements = [{ effect: "Deny", actions: ["s3:*"], resources: ["*"] }] as const;
  await console.identities.putIdentity({ name: "ann", actions: [], statements, isDisabled: true });
  await send(`${console.url}/api/v1/identities/ann`, "PUT", { actions: ["List"] });
  expect(await console.identities.getIdentity("ann")).toMatchObject({
    actions: ["List"],
    statements,
    isDisabled: true,
  });
});

test("keys are switched off and deleted; absent ones are 404", async () => {
  await using console = await startConsole();
  const ann = `${console.url}/api/v1/identities/ann`;
  expect((await send(`${ann}/keys`, "POST")).status).toBe(404);
  await send(ann, "PUT", { actions: [] });
  await send(`${ann}/keys`, "POST", { access_key: "AK", secret_key: "SK" });
  expect((await send(`${ann}/keys/AK`, "PUT", { is_active: false })).status).toBe(204);
  expect((await console.identities.getIdentity("ann"))?.keys[0]?.isActive).toBe(false);
  expect((await send(`${ann}/keys/AK`, "DELETE")).status).toBe(204);
  expect((await send(`${ann}/keys/AK`, "DELETE")).status).toBe(404);
  expect((await send(ann, "DELETE")).status).toBe(204);
  expect((await send(ann, "DELETE")).status).toBe(404);
});

test("half a pair is refused", async () => {
  await using console = await startConsole();
  const ann = `${console.url}/api/v1/identities/ann`;
  await send(ann, "PUT", { actions: [] });
  expect((await send(`${ann}/keys`, "POST", { access_key: "AK" })).status).toBe(400);
});

test("each change asks for its own right on the very user", async () => {
  await using console = await startConsole();
  const ann = `${console.url}/api/v1/identities/ann`;
  await send(ann, "PUT", { actions: [] });
  await send(`${ann}/keys`, "POST");
  await send(ann, "DELETE");
  expect(console.asked).toEqual([
    "iam:PutUser arn:kelp:iam:::user/ann",
    "iam:CreateAccessKey arn:kelp:iam:::user/ann",
    "iam:DeleteUser arn:kelp:iam:::user/ann",
  ]);
  console.denied.add("iam:ListUsers");
  expect((await send(`${console.url}/api/v1/identities`, "GET")).status).toBe(403);
});
