import {
  type Clock,
  type Hashes,
  type Log,
  type Random,
  type SqlDatabase,
  assert,
} from "@kelp/base";
import type {
  AccessKeyId,
  AccessRequest,
  Authorizer,
  Decision,
  Identity,
  IdentityAdmin,
  KeyDirectory,
  KeyRecord,
  Statement,
  TextSealer,
} from "@kelp/wire";
import { IamError } from "./errors.ts";
import { NO_PERMISSIONS, type Permissions, compilePermissions, decide } from "./evaluator.ts";
import { makeKeyPair } from "./key-pair.ts";
import {
  ACTIONS_PER_IDENTITY_MAX,
  IDENTITIES_MAX,
  KEYS_PER_IDENTITY_MAX,
  STATEMENTS_PER_IDENTITY_MAX,
} from "./limits.ts";
import { checkIdentityName, checkKeyPair } from "./names.ts";
import { StoredSecrets } from "./stored-secrets.ts";
import { IdentityStore, type StoredIdentity, type StoredKey } from "./store.ts";

export interface IamOptions {
  /** Borrowed: the caller closes it. Tables are named `iam_…`. */
  readonly database: SqlDatabase;
  readonly root: { readonly accessKeyId: string; readonly secret: string };
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
  /** Keeps the secrets of access keys at rest. Absent: they stand as they are. */
  readonly secretSealer?: TextSealer;
  readonly log: Log;
}

export interface Iam extends Authorizer, KeyDirectory, IdentityAdmin {}

/**
 * Opens the directory of identities: reads it whole into memory (at most `IDENTITIES_MAX`), where questions are
 * answered synchronously; changes go to the database first. One process owns the database's `iam_` tables.
 * Throws `IamError` `invalid-key` when the root pair cannot be used, `secret-damaged` when a sealed secret does not open.
 */
export function openIam(options: IamOptions): Iam {
  return new Directory(options, "this-process");
}

/** What a gateway needs: the answers, from a database that another process changes and that is open for reading. */
export interface IamReader extends Authorizer, KeyDirectory {
  /** Takes over what was changed since. Throws when the database cannot be read; the answers are then as before. */
  reload(): void;
}

/** Opens the directory as a reader. Whoever changes it has `reload` called before telling that the change is done. */
export function openIamReader(options: IamOptions): IamReader {
  return new Directory(options, "another-process");
}

interface Entry {
  readonly stored: StoredIdentity;
  readonly permissions: Permissions;
}

const ALLOW: Decision = { kind: "allow" };
const DENY: Decision = { kind: "deny", reason: "implicit" };

/**
 * Invariants: `#entries` is what the database holds; `#ownerOfKey` names every stored key; `#usableKeys` holds exactly
 * the root key and the active keys of identities that are not disabled.
 */
class Directory implements Iam, IamReader {
  readonly #store: IdentityStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #rootKey: KeyRecord;
  readonly #entries = new Map<string, Entry>();
  readonly #ownerOfKey = new Map<AccessKeyId, string>();
  readonly #usableKeys = new Map<AccessKeyId, KeyRecord>();

  constructor(options: IamOptions, writer: "this-process" | "another-process") {
    const { accessKeyId, secret } = options.root;
    checkKeyPair({ id: accessKeyId, secret });
    this.#clock = options.clock;
    this.#random = options.random;
    this.#log = options.log;
    this.#rootKey = {
      id: accessKeyId as AccessKeyId,
      secret,
      principal: { kind: "root", name: "root" },
    };
    this.#store = new IdentityStore(
      options.database,
      { secrets: new StoredSecrets(options.secretSealer), hashes: options.hashes },
      writer,
    );
    this.reload();
  }

  /** Reads everything again, in one go: no question is answered in between. */
  reload(): void {
    const identities = this.#store.load();
    this.#entries.clear();
    this.#ownerOfKey.clear();
    this.#usableKeys.clear();
    this.#usableKeys.set(this.#rootKey.id, this.#rootKey);
    for (const stored of identities) {
      this.#reportDamagedKeys(stored);
      this.#remember(stored, this.#permissionsOf(stored));
    }
  }

  authorize(request: AccessRequest): Decision {
    const { principal } = request;
    if (principal.kind === "root") return ALLOW;
    if (principal.kind !== "identity") return DENY;
    const entry = this.#entries.get(principal.name);
    if (entry === undefined || entry.stored.isDisabled) return DENY;
    return decide(entry.permissions, request);
  }

  findKey(id: AccessKeyId): KeyRecord | undefined {
    return this.#usableKeys.get(id);
  }

  listIdentities(): Promise<Identity[]> {
    const identities = [...this.#entries.values()].map(({ stored }) => withoutSecrets(stored));
    return Promise.resolve(identities.sort((left, right) => (left.name < right.name ? -1 : 1)));
  }

  getIdentity(name: string): Promise<Identity | undefined> {
    const entry = this.#entries.get(name);
    return Promise.resolve(entry === undefined ? undefined : withoutSecrets(entry.stored));
  }

  async putIdentity(identity: {
    readonly name: string;
    readonly actions: readonly string[];
    readonly statements?: readonly Statement[];
    readonly isDisabled?: boolean;
  }): Promise<Identity> {
    const { name, statements = [] } = identity;
    checkIdentityName(name);
    limit("actions", identity.actions.length, ACTIONS_PER_IDENTITY_MAX);
    limit("statements", statements.length, STATEMENTS_PER_IDENTITY_MAX);
    const known = this.#entries.get(name)?.stored;
    if (known === undefined) limit("identities", this.#entries.size + 1, IDENTITIES_MAX);
    const permissions = compilePermissions(identity.actions, statements);
    const stored: StoredIdentity = {
      name,
      isDisabled: identity.isDisabled ?? false,
      actions: [...identity.actions],
      statements: statements.map(({ effect, actions, resources }) => ({
        effect,
        actions: [...actions],
        resources: [...resources],
      })),
      keys: known?.keys ?? [],
      createdMs: known?.createdMs ?? this.#clock.nowMs(),
    };
    this.#store.put(stored);
    this.#remember(stored, permissions);
    this.#log.info("identity stored", { name, actions: stored.actions.length });
    return withoutSecrets(stored);
  }

  async deleteIdentity(name: string): Promise<boolean> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return false;
    this.#store.delete(name);
    this.#forget(entry.stored);
    this.#log.info("identity deleted", { name });
    return true;
  }

  async createKey(
    name: string,
    pair?: { readonly id: AccessKeyId; readonly secret: string },
  ): Promise<{ readonly id: AccessKeyId; readonly secret: string }> {
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      throw new IamError("no-such-identity", "Cannot create the key: there is no such identity");
    }
    limit("keys", entry.stored.keys.length + 1, KEYS_PER_IDENTITY_MAX);
    const { id, secret } = pair ?? makeKeyPair(this.#random);
    checkKeyPair({ id, secret });
    if (id === this.#rootKey.id || this.#ownerOfKey.has(id)) {
      throw new IamError("key-exists", "Cannot create the key: the access key id is in use");
    }
    const key: StoredKey = { id, secret, isActive: true, createdMs: this.#clock.nowMs() };
    this.#store.putKey(name, key);
    const keys = [...entry.stored.keys, key].sort(byAge);
    this.#remember({ ...entry.stored, keys }, entry.permissions);
    this.#log.info("access key created", { name, access_key: id });
    return { id, secret };
  }

  async setKeyActive(
    name: string,
    id: AccessKeyId,
    state: "active" | "inactive",
  ): Promise<boolean> {
    const entry = this.#entries.get(name);
    const key = entry?.stored.keys.find((candidate) => candidate.id === id);
    if (entry === undefined || key === undefined) return false;
    if (key.isDamaged === true) {
      throw new IamError(
        "key-damaged",
        "Cannot change the key: its row does not match its checksum; delete it and create another",
      );
    }
    const changed: StoredKey = { ...key, isActive: state === "active" };
    this.#store.putKey(name, changed);
    const keys = entry.stored.keys.map((other) => (other.id === id ? changed : other));
    this.#remember({ ...entry.stored, keys }, entry.permissions);
    this.#log.info("access key changed", { name, access_key: id, state });
    return true;
  }

  async deleteKey(name: string, id: AccessKeyId): Promise<boolean> {
    const entry = this.#entries.get(name);
    if (entry === undefined || !entry.stored.keys.some((key) => key.id === id)) return false;
    this.#store.deleteKey(id);
    const keys = entry.stored.keys.filter((key) => key.id !== id);
    this.#remember({ ...entry.stored, keys }, entry.permissions);
    this.#log.info("access key deleted", { name, access_key: id });
    return true;
  }

  /** What a later version wrote, or a disk changed, may not compile here. Half of it could allow what the rest denies, so none counts. */
  #permissionsOf(stored: StoredIdentity): Permissions {
    if (stored.isDamaged === true) {
      this.#log.error("identity may do nothing: its rows do not match their checksum", {
        name: stored.name,
        code: "identity-damaged",
      });
      return NO_PERMISSIONS;
    }
    try {
      return compilePermissions(stored.actions, stored.statements);
    } catch (error) {
      if (!(error instanceof IamError)) throw error;
      this.#log.error("identity may do nothing: its permissions cannot be read", {
        name: stored.name,
        code: error.code,
      });
      return NO_PERMISSIONS;
    }
  }

  #reportDamagedKeys({ name, keys }: StoredIdentity): void {
    for (const { id, isDamaged } of keys) {
      if (isDamaged !== true) continue;
      this.#log.error("access key opens nothing: its row does not match its checksum", {
        name,
        access_key: id,
        code: "key-damaged",
      });
    }
  }

  #remember(stored: StoredIdentity, permissions: Permissions): void {
    const before = this.#entries.get(stored.name);
    if (before !== undefined) this.#forget(before.stored);
    this.#entries.set(stored.name, { stored, permissions });
    for (const { id, secret, isActive } of stored.keys) {
      this.#ownerOfKey.set(id, stored.name);
      // The root key given at start-up wins over a stored one of the same id.
      if (id === this.#rootKey.id || !isActive || stored.isDisabled) continue;
      this.#usableKeys.set(id, {
        id,
        secret,
        principal: { kind: "identity", name: stored.name },
      });
    }
  }

  #forget(stored: StoredIdentity): void {
    for (const { id } of stored.keys) {
      assert(this.#ownerOfKey.get(id) === stored.name, "a key has the owner that it names");
      this.#ownerOfKey.delete(id);
      if (id !== this.#rootKey.id) this.#usableKeys.delete(id);
    }
    this.#entries.delete(stored.name);
  }
}

function withoutSecrets(stored: StoredIdentity): Identity {
  return {
    name: stored.name,
    isDisabled: stored.isDisabled,
    actions: stored.actions,
    statements: stored.statements,
    keys: stored.keys.map(({ id, isActive, createdMs, isDamaged }) => ({
      id,
      isActive,
      createdMs,
      ...(isDamaged === true ? { isDamaged } : {}),
    })),
    createdMs: stored.createdMs,
    ...(stored.isDamaged === true ? { isDamaged: true } : {}),
  };
}

/** The order in which the database gives them back. */
function byAge(left: StoredKey, right: StoredKey): number {
  return left.createdMs - right.createdMs || (left.id < right.id ? -1 : 1);
}

function limit(what: string, count: number, max: number): void {
  if (count > max) throw new IamError("limit-exceeded", `Cannot have more than ${max} ${what}`);
}
