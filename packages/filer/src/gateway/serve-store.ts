import type { CallHandlers } from "@kelp/base";
import type { CompleteUpload } from "@kelp/wire";
import type { ExtendEntry, FilerStore, PutEntry } from "../store/filer-store.ts";
import {
  COMPLETE_UPLOAD,
  type CompleteDescribed,
  FORWARDED,
  PARTS_CHANGED,
  callName,
  seenPart,
  stamped,
} from "./store-calls.ts";

/** The changes of a store as calls for gateways. The other side is this very program: arguments are taken as they are. */
export function serveStore(store: FilerStore): CallHandlers {
  const handlers: Record<string, (argument: unknown) => unknown> = {
    [callName(COMPLETE_UPLOAD)]: (argument) =>
      completeDescribed(store, argument as CompleteDescribed),
  };
  for (const name of FORWARDED) {
    const change = store[name] as (...values: unknown[]) => Promise<unknown>;
    handlers[callName(name)] = (argument) => change(...(argument as unknown[]));
  }
  handlers[callName("putEntry")] = async (argument) => {
    const [request] = argument as [PutEntry];
    return stamped(await store.putEntry(request));
  };
  handlers[callName("extendEntry")] = async (argument) => {
    const [request] = argument as [ExtendEntry];
    return stamped(await store.extendEntry(request));
  };
  return handlers;
}

class PartsChanged extends Error {
  override readonly name = "PartsChanged";
  readonly code = PARTS_CHANGED;
}

function completeDescribed(store: FilerStore, request: CompleteDescribed): Promise<unknown> {
  const { described, ...rest } = request;
  const describe: CompleteUpload["describe"] = (parts) => {
    const isAsSeen =
      described !== undefined &&
      JSON.stringify(parts.map(seenPart)) === JSON.stringify(described.seen);
    if (!isAsSeen) throw new PartsChanged("Cannot complete the upload: its parts have changed");
    return described.description;
  };
  return store.completeUpload({ ...rest, describe });
}
