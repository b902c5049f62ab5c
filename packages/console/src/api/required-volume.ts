import { type Authorizer, type VolumeId, serviceArn, volumeId } from "@kelp/wire";
import { type ConsoleContext, requireAccess } from "../access.ts";
import { ConsoleError } from "../errors.ts";
import { segment } from "./routes.ts";

/** The volume that the path names, for who may do `action` with it. Throws `access-denied`, `bad-request`. */
export function requireVolume(
  authorizer: Authorizer,
  context: ConsoleContext,
  action: string,
): VolumeId {
  const text = segment(context, "id");
  // Asked before the id is looked at: what is there is not told to those who may not.
  requireAccess(authorizer, context, { action, resource: serviceArn("store", `volume/${text}`) });
  const id = Number(text);
  if (!/^[1-9]\d{0,9}$/.test(text) || id > 0xffff_ffff) {
    throw new ConsoleError("bad-request", "The path names no volume");
  }
  return volumeId(id);
}
