import type { TextSealer } from "@kelp/wire";
import { IamError } from "./errors.ts";

/** Begins a sealed secret. Secrets themselves are visible characters alone, so no secret looks sealed. */
const SEALED_MARK = "\u0001";

/** Secrets of access keys as the database holds them: sealed, each for its own key id, or as they are. */
export class StoredSecrets {
  readonly #sealer: TextSealer | undefined;

  constructor(sealer: TextSealer | undefined) {
    this.#sealer = sealer;
  }

  get seals(): boolean {
    return this.#sealer !== undefined;
  }

  isSealed(stored: string): boolean {
    return stored.startsWith(SEALED_MARK);
  }

  toStored(secret: string, keyId: string): string {
    return this.#sealer === undefined
      ? secret
      : SEALED_MARK + this.#sealer.sealText(secret, purposeOf(keyId));
  }

  /** Throws `IamError` `secret-damaged`. */
  fromStored(stored: string, keyId: string): string {
    if (!this.isSealed(stored)) return stored;
    const sealed = stored.slice(SEALED_MARK.length);
    const secret = this.#sealer?.openText(sealed, purposeOf(keyId));
    if (secret === undefined) {
      throw new IamError(
        "secret-damaged",
        `Cannot read the access key ${keyId}: its sealed secret does not open`,
      );
    }
    return secret;
  }
}

function purposeOf(keyId: string): string {
  return `kelp iam secret\0${keyId}`;
}
