import type { AccessKeyId, Identity, IdentityAdmin } from "@kelp/wire";

/** Identities in memory. Secrets are made of a counter: for tests only. */
export class MemoryIdentities implements IdentityAdmin {
  readonly #identities = new Map<string, Identity>();
  #keyCount = 0;

  async listIdentities(): Promise<Identity[]> {
    return [...this.#identities.values()];
  }

  async getIdentity(name: string): Promise<Identity | undefined> {
    return this.#identities.get(name);
  }

  async putIdentity(identity: Parameters<IdentityAdmin["putIdentity"]>[0]): Promise<Identity> {
    const current = this.#identities.get(identity.name);
    const changed: Identity = {
      name: identity.name,
      actions: identity.actions,
      statements: identity.statements ?? [],
      isDisabled: identity.isDisabled ?? false,
      keys: current?.keys ?? [],
      createdMs: current?.createdMs ?? 1,
    };
    this.#identities.set(identity.name, changed);
    return changed;
  }

  async deleteIdentity(name: string): Promise<boolean> {
    return this.#identities.delete(name);
  }

  async createKey(name: string, pair?: { readonly id: AccessKeyId; readonly secret: string }) {
    this.#keyCount += 1;
    const made = pair ?? {
      id: `KELPTEST${this.#keyCount}` as AccessKeyId,
      secret: `secret-${this.#keyCount}`,
    };
    this.#change(name, (keys) => [...keys, { id: made.id, isActive: true, createdMs: 1 }]);
    return made;
  }

  async setKeyActive(name: string, id: AccessKeyId, state: "active" | "inactive") {
    return this.#change(name, (keys) =>
      keys.map((key) => (key.id === id ? { ...key, isActive: state === "active" } : key)),
    );
  }

  async deleteKey(name: string, id: AccessKeyId): Promise<boolean> {
    const had = this.#identities.get(name)?.keys.some((key) => key.id === id) ?? false;
    return had && this.#change(name, (keys) => keys.filter((key) => key.id !== id));
  }

  #change(name: string, change: (keys: Identity["keys"]) => Identity["keys"]): boolean {
    const identity = this.#identities.get(name);
    if (identity === undefined) return false;
    this.#identities.set(name, { ...identity, keys: change(identity.keys) });
    return true;
  }
}
