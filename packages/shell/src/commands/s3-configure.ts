import type { IdentityMessage } from "@kelp/wire/management";
import type { Call, Command } from "../command.ts";
import { ShellError } from "../errors.ts";
import type { ParsedFlags } from "../flags.ts";

/** Flags that older scripts may pass and that this store has nothing for. */
const UNSUPPORTED = ["account_id", "account_display_name", "account_email", "policies"] as const;

/**
 * Shows or changes identities in the classic way: actions and keys given are added, or with `-delete` taken away.
 * Secrets are sent and never shown: the store does not give them back.
 */
export const configure: Command = {
  name: "s3.configure",
  usage:
    "[-user <name>] [-access_key <id> -secret_key <secret>] [-actions <a,b>] [-buckets <x,y>] [-delete] [-apply]",
  summary: "add, change or delete an identity; without -apply only show the result",
  flags: {
    user: { kind: "text", help: "name of the identity" },
    access_key: { kind: "text", help: "access key id" },
    secret_key: { kind: "text", help: "secret of the access key" },
    actions: {
      kind: "text",
      help: "comma-separated: Read, Write, List, Tagging, Admin and others",
    },
    buckets: {
      kind: "text",
      help: "comma-separated buckets that the actions are for; all if absent",
    },
    delete: { kind: "switch", help: "take away what is named, or the whole identity" },
    apply: { kind: "switch", help: "do it" },
    ...Object.fromEntries(
      UNSUPPORTED.map((name) => [name, { kind: "text", help: "not supported" }] as const),
    ),
  },
  takes: "none",
  async run(call) {
    const { flags, client, output } = call;
    const identities = await client.listIdentities();
    const plan = flags.isEmpty ? undefined : planOf(flags, identities);
    await output.write(`${render(plan === undefined ? identities : plan.result)}\n`);
    if (plan !== undefined && flags.isOn("apply")) await apply(plan, call);
  },
};

interface Plan {
  readonly user: string;
  readonly before: IdentityMessage | undefined;
  /** `undefined` when the identity goes. */
  readonly after: IdentityMessage | undefined;
  readonly newKey: { readonly access_key: string; readonly secret_key: string } | undefined;
  readonly goneKey: string | undefined;
  /** The whole configuration as it will be. */
  readonly result: readonly IdentityMessage[];
}

function planOf(flags: ParsedFlags, identities: readonly IdentityMessage[]): Plan {
  for (const name of UNSUPPORTED) {
    if (flags.has(name)) throw new ShellError("usage", `The flag -${name} is not supported`);
  }
  const user = flags.requiredText("user");
  const before = identities.find(({ name }) => name === user);
  const change = flags.isOn("delete") ? planDelete(flags, before) : planAdd(flags, user, before);
  const others = identities.filter(({ name }) => name !== user);
  const result = change.after === undefined ? others : [...others, change.after];
  return { user, before, ...change, result: result.sort(byName) };
}

type Change = Pick<Plan, "after" | "newKey" | "goneKey">;

function planAdd(flags: ParsedFlags, user: string, before: IdentityMessage | undefined): Change {
  const id = flags.text("access_key");
  const secret = flags.text("secret_key");
  if ((id === undefined) !== (secret === undefined)) {
    throw new ShellError("usage", "The flags -access_key and -secret_key go together");
  }
  const known = before ?? { name: user, is_disabled: false, actions: [], created_ms: 0, keys: [] };
  const actions = [...new Set([...known.actions, ...scopedActions(flags)])];
  if (id === undefined || secret === undefined) {
    return { after: { ...known, actions }, newKey: undefined, goneKey: undefined };
  }
  const keys = known.keys.filter(({ access_key }) => access_key !== id);
  return {
    after: {
      ...known,
      actions,
      keys: [...keys, { access_key: id, is_active: true, created_ms: 0 }],
    },
    newKey: { access_key: id, secret_key: secret },
    // A key is given another secret by making it again.
    goneKey: keys.length < known.keys.length ? id : undefined,
  };
}

function planDelete(flags: ParsedFlags, before: IdentityMessage | undefined): Change {
  const gone = { after: undefined, newKey: undefined, goneKey: undefined };
  if (before === undefined) throw new ShellError("not-found", "There is no such user");
  if (!["actions", "buckets", "access_key"].some((name) => flags.has(name))) return gone;
  const id = flags.text("access_key");
  const dropped = new Set(scopedActions(flags));
  const keys = before.keys.filter(({ access_key }) => access_key !== id);
  return {
    after: { ...before, actions: before.actions.filter((action) => !dropped.has(action)), keys },
    newKey: undefined,
    goneKey: keys.length < before.keys.length ? id : undefined,
  };
}

/** Every action for every bucket: `a,b` and `x,y` are `a:x`, `b:x`, `a:y`, `b:y`. */
function scopedActions(flags: ParsedFlags): readonly string[] {
  const actions = flags.list("actions");
  const buckets = flags.list("buckets");
  if (buckets.length === 0) return actions;
  if (actions.length === 0) {
    throw new ShellError("usage", "The flag -buckets needs -actions to be for");
  }
  return buckets.flatMap((bucket) => actions.map((action) => `${action}:${bucket}`));
}

async function apply(plan: Plan, { client }: Call): Promise<void> {
  const { user, before, after, newKey, goneKey } = plan;
  if (after === undefined) return client.deleteIdentity(user);
  const isSame = before?.actions.join() === after.actions.join();
  if (!isSame || before === undefined) {
    await client.putIdentity(user, after.actions, after.is_disabled ? "disabled" : "enabled");
  }
  if (goneKey !== undefined) await client.deleteKey(user, goneKey);
  if (newKey !== undefined) await client.createKey(user, newKey);
}

function render(identities: readonly IdentityMessage[]): string {
  const shown = identities.map(({ name, keys, actions, is_disabled }) => ({
    name,
    credentials: keys.map(({ access_key, is_active }) => ({
      accessKey: access_key,
      status: is_active ? "Active" : "Inactive",
    })),
    actions,
    disabled: is_disabled,
  }));
  return JSON.stringify({ identities: shown }, undefined, 2);
}

function byName(left: IdentityMessage, right: IdentityMessage): number {
  return left.name < right.name ? -1 : 1;
}
