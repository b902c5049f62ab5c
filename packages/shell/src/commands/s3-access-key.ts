import type { NewKeyMessage } from "@kelp/wire/management";
import type { Command } from "../command.ts";
import { ShellError } from "../errors.ts";
import type { ParsedFlags } from "../flags.ts";

const USER = { user: { kind: "text", help: "name of the user" } } as const;
const ACCESS_KEY = { access_key: { kind: "text", help: "access key id" } } as const;

export const accessKeyCreate: Command = {
  name: "s3.accesskey.create",
  usage: "-user <name> [-access_key <id> -secret_key <secret>]",
  summary: "add a key to a user, made if not given; the secret is shown this once",
  flags: {
    ...USER,
    ...ACCESS_KEY,
    secret_key: { kind: "text", help: "secret of the access key" },
  },
  takes: "none",
  async run({ flags, client, output }) {
    const made = await client.createKey(flags.requiredText("user"), givenPair(flags));
    await output.write(`access_key: ${made.access_key}\nsecret_key: ${made.secret_key}\n`);
  },
};

export const accessKeyDelete: Command = {
  name: "s3.accesskey.delete",
  usage: "-user <name> -access_key <id>",
  summary: "delete a key of a user",
  flags: { ...USER, ...ACCESS_KEY },
  takes: "none",
  async run({ flags, client, output }) {
    const id = flags.requiredText("access_key");
    await client.deleteKey(flags.requiredText("user"), id);
    await output.write(`deleted access key ${id}\n`);
  },
};

export const accessKeyList: Command = {
  name: "s3.accesskey.list",
  usage: "-user <name>",
  summary: "list the keys of a user",
  flags: USER,
  takes: "none",
  async run({ flags, client, output }) {
    const name = flags.requiredText("user");
    const user = (await client.listIdentities()).find((candidate) => candidate.name === name);
    if (user === undefined) throw new ShellError("not-found", `There is no user ${name}`);
    for (const { access_key, is_active, created_ms } of user.keys) {
      const created = new Date(created_ms).toISOString();
      const state = is_active ? "Active" : "Inactive";
      await output.write(`  ${access_key}\t${state}\t${created}\n`);
    }
  },
};

/** The pair of `-access_key` and `-secret_key`; `undefined` with neither. */
export function givenPair(flags: ParsedFlags): NewKeyMessage | undefined {
  const id = flags.text("access_key");
  const secret = flags.text("secret_key");
  if (id === undefined && secret === undefined) return undefined;
  if (id === undefined || secret === undefined) {
    throw new ShellError("usage", "The flags -access_key and -secret_key go together");
  }
  return { access_key: id, secret_key: secret };
}
