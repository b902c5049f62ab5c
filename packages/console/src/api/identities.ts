import { type AccessKeyId, type Identity, serviceArn } from "@kelp/wire";
import type { IdentityMessage, NewKeyMessage } from "@kelp/wire/management";
import { z } from "zod";
import { type ConsoleContext, requireAccess } from "../access.ts";
import type { ConsoleDependencies } from "../dependencies.ts";
import { ConsoleError } from "../errors.ts";
import { readJson } from "../request-body.ts";
import { type Api, segment } from "./routes.ts";

const putSchema = z.strictObject({
  actions: z.array(z.string().min(1).max(1024)).max(1000),
  is_disabled: z.boolean().optional(),
});
const keyStateSchema = z.strictObject({ is_active: z.boolean() });
const keySchema = z
  .strictObject({
    access_key: z.string().min(1).max(128).transform(asKeyId).optional(),
    secret_key: z.string().min(1).max(256).optional(),
  })
  .refine((pair) => (pair.access_key === undefined) === (pair.secret_key === undefined), {
    message: "access_key and secret_key come together or not at all",
  });

/** Identities and their access keys. Secrets leave this door once: in the answer that makes the key. */
export function addIdentityRoutes(api: Api, dependencies: ConsoleDependencies): void {
  const { identities } = dependencies;
  const allow = (context: ConsoleContext, action: string, name: string): void => {
    requireAccess(dependencies.authorizer, context, {
      action: `iam:${action}`,
      resource: serviceArn("iam", name === "" ? "users" : `user/${name}`),
    });
  };

  api.get("/identities", async (context) => {
    allow(context, "ListUsers", "");
    return context.json({ identities: (await identities.listIdentities()).map(identityMessage) });
  });

  api.put("/identities/:name", async (context) => {
    const name = segment(context, "name");
    allow(context, "PutUser", name);
    const body = await readJson(context.req.raw, putSchema);
    // Statements are not part of this message: those that the identity has stay.
    const current = await identities.getIdentity(name);
    const changed = await identities.putIdentity({
      name,
      actions: body.actions,
      statements: current?.statements ?? [],
      isDisabled: body.is_disabled ?? current?.isDisabled ?? false,
    });
    return context.json(identityMessage(changed));
  });

  api.delete("/identities/:name", async (context) => {
    const name = segment(context, "name");
    allow(context, "DeleteUser", name);
    if (!(await identities.deleteIdentity(name))) throw noSuchIdentity(name);
    return context.body(null, 204);
  });

  api.post("/identities/:name/keys", async (context) => {
    const name = segment(context, "name");
    allow(context, "CreateAccessKey", name);
    const body = await readJson(context.req.raw, keySchema);
    if ((await identities.getIdentity(name)) === undefined) throw noSuchIdentity(name);
    const made = await identities.createKey(
      name,
      body.access_key === undefined || body.secret_key === undefined
        ? undefined
        : { id: body.access_key, secret: body.secret_key },
    );
    return context.json(
      { access_key: made.id, secret_key: made.secret } satisfies NewKeyMessage,
      201,
    );
  });

  api.put("/identities/:name/keys/:key", async (context) => {
    const name = segment(context, "name");
    const id = asKeyId(segment(context, "key"));
    allow(context, "UpdateAccessKey", name);
    const { is_active } = await readJson(context.req.raw, keyStateSchema);
    if (!(await identities.setKeyActive(name, id, is_active ? "active" : "inactive"))) {
      throw noSuchKey(name, id);
    }
    return context.body(null, 204);
  });

  api.delete("/identities/:name/keys/:key", async (context) => {
    const name = segment(context, "name");
    const id = asKeyId(segment(context, "key"));
    allow(context, "DeleteAccessKey", name);
    if (!(await identities.deleteKey(name, id))) throw noSuchKey(name, id);
    return context.body(null, 204);
  });
}

/** The parser of this door: what is no access key id at all is found absent by the directory. */
function asKeyId(text: string): AccessKeyId {
  return text as AccessKeyId;
}

function noSuchIdentity(name: string): ConsoleError {
  return new ConsoleError("no-such-identity", `There is no identity ${name}`);
}

function noSuchKey(name: string, id: string): ConsoleError {
  return new ConsoleError("no-such-key", `Identity ${name} has no access key ${id}`);
}

function identityMessage(identity: Identity): IdentityMessage {
  return {
    name: identity.name,
    is_disabled: identity.isDisabled,
    actions: identity.actions,
    created_ms: identity.createdMs,
    keys: identity.keys.map((key) => ({
      access_key: key.id,
      is_active: key.isActive,
      created_ms: key.createdMs,
    })),
  };
}
