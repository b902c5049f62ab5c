import type { AccessKeyId } from "@kelp/wire";
import { IamError } from "./errors.ts";
import { NAME_LENGTH_MAX } from "./limits.ts";

/** Principals that are not identities; no identity may be mistaken for them. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(["root", "anonymous"]);

/** Throws `IamError` `invalid-name` or `reserved-name` unless an identity may have this name. */
export function checkIdentityName(name: string): void {
  if (name.length > NAME_LENGTH_MAX || !/^[A-Za-z0-9+=,@_-][A-Za-z0-9+=,.@_-]*$/.test(name)) {
    throw new IamError(
      "invalid-name",
      `Cannot name an identity so: it takes 1 to ${NAME_LENGTH_MAX} letters, digits or any of +=,.@_-, no dot first`,
    );
  }
  if (RESERVED_NAMES.has(name.toLowerCase())) {
    throw new IamError("reserved-name", `Cannot name an identity ${name}: the name is reserved`);
  }
}

/** Throws `IamError` `invalid-key` unless the pair can be used in signatures. */
export function checkKeyPair(pair: { readonly id: string; readonly secret: string }): void {
  if (!isKeyId(pair.id)) {
    throw new IamError(
      "invalid-key",
      "Cannot use the access key id: it takes 3 to 128 letters, digits or any of ._@+-",
    );
  }
  if (!/^[\u0021-\u007e]{8,256}$/.test(pair.secret)) {
    throw new IamError(
      "invalid-key",
      "Cannot use the secret key: it takes 8 to 256 visible ASCII characters",
    );
  }
}

function isKeyId(id: string): id is AccessKeyId {
  return /^[A-Za-z0-9._@+-]{3,128}$/.test(id);
}
