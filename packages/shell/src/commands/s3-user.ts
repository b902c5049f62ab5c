import type { IdentityMessage } from "@kelp/wire/management";
import type { Call, Command } from "../command.ts";
import { ShellError } from "../errors.ts";
import { givenPair } from "./s3-access-key.ts";

const NAME = { name: { kind: "text", help: "name of the user" } } as const;

export const userList: Command = {
  name: "s3.user.list",
  usage: "",
  summary: "list all users with their keys and actions",
  flags: {},
  takes: "none",
  async run({ client, output }) {
    for (const { name, keys, actions, is_disabled } of await client.listIdentities()) {
      const state = is_disabled ? "\tdisabled" : "";
      await output.write(
        `  ${name}\tkeys:${keys.length}\tactions:${actions.join(",") || "none"}${state}\n`,
      );
    }
  },
};

export const userShow: Command = {
  name: "s3.user.show",
  usage: "-name <user>",
  summary: "show a user with all keys, without secrets",
  flags: NAME,
  takes: "none",
  async run(call) {
    const user = await findUser(call, call.flags.requiredText("name"));
    await call.output.write(`${JSON.stringify(user, undefined, 2)}\n`);
  },
};

export const userCreate: Command = {
  name: "s3.user.create",
  usage: "-name <user> [-actions <a,b>] [-access_key <id> -secret_key <secret>]",
  summary: "create a user with a key, made if not given; the secret is shown this once",
  flags: {
    ...NAME,
    actions: { kind: "text", help: "comma-separated; without any the user can do nothing" },
    access_key: { kind: "text", help: "access key id" },
    secret_key: { kind: "text", help: "secret of the access key" },
  },
  takes: "none",
  async run({ flags, client, output }) {
    const name = flags.requiredText("name");
    const pair = givenPair(flags);
    const users = await client.listIdentities();
    if (users.some((user) => user.name === name)) {
      throw new ShellError("refused", `There is a user ${name} already`);
    }
    await client.putIdentity(name, flags.list("actions"), "enabled");
    const made = await client.createKey(name, pair);
    await output.write(
      `created user ${name}\naccess_key: ${made.access_key}\nsecret_key: ${made.secret_key}\n`,
    );
  },
};

export const userDelete: Command = {
  name: "s3.user.delete",
  usage: "-name <user>",
  summary: "delete a user with all keys",
  flags: NAME,
  takes: "none",
  async run({ flags, client, output }) {
    const name = flags.requiredText("name");
    await client.deleteIdentity(name);
    await output.write(`deleted user ${name}\n`);
  },
};

export const userEnable = switching("enabled", "s3.user.enable", "let a disabled user work again");
export const userDisable = switching("disabled", "s3.user.disable", "stop all keys of a user");

function switching(state: "enabled" | "disabled", name: string, summary: string): Command {
  return {
    name,
    usage: "-name <user>",
    summary,
    flags: NAME,
    takes: "none",
    async run(call) {
      const user = await findUser(call, call.flags.requiredText("name"));
      await call.client.putIdentity(user.name, user.actions, state);
      await call.output.write(`${state} user ${user.name}\n`);
    },
  };
}

async function findUser({ client }: Call, name: string): Promise<IdentityMessage> {
  const found = (await client.listIdentities()).find((user) => user.name === name);
  if (found === undefined) throw new ShellError("not-found", `There is no user ${name}`);
  return found;
}
