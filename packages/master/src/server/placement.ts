import { HttpError, type Query } from "@kelp/base/http";
import { type Ttl, isFilerCollection, parseTtl } from "@kelp/wire";

/** The one place where everything is: names that SeaweedFS gives what was not named. */
export const DATA_CENTER = "DefaultDataCenter";
export const RACK = "DefaultRack";

/** Where and how a client wants its files, checked. */
export interface Placement {
  readonly collection: string;
  readonly ttl: Ttl | undefined;
  readonly diskType: string | undefined;
  readonly replicaPlacement: number;
}

/**
 * Throws `HttpError` 400 for places that are not here, 403 for volumes of the filer, 406 for what one server cannot promise or
 * the format cannot say.
 */
export function placementOf(query: Query, node: string): Placement {
  refuseElsewhere(query, "dataCenter", DATA_CENTER);
  refuseElsewhere(query, "rack", RACK);
  refuseElsewhere(query, "dataNode", node);
  const collection = query.text("collection") ?? "";
  refuseFilers(collection);
  const diskType = query.text("disk")?.toLowerCase();
  return {
    collection,
    ttl: ttlOf(query.text("ttl")),
    // The kind of disk that has no name elsewhere is called hdd.
    diskType: diskType === "hdd" ? undefined : diskType,
    replicaPlacement: replicaPlacementOf(query.text("replication")),
  };
}

/** What stood there and no entry names would be taken for what a crash left, and removed. */
export function refuseFilers(collection: string): void {
  if (!isFilerCollection(collection)) return;
  throw new HttpError(403, `The collection ${collection} is the filer's`);
}

function refuseElsewhere(query: Query, name: string, here: string): void {
  const wanted = query.text(name);
  if (wanted !== undefined && wanted !== here) {
    throw new HttpError(400, `${name} ${wanted} is not here: there is ${here}`);
  }
}

function ttlOf(text: string | undefined): Ttl | undefined {
  if (text === undefined) return undefined;
  const ttl = parseTtl(text);
  if (ttl === undefined)
    throw new HttpError(406, `ttl ${text} is no lifetime such as 3m, 4h or 5d`);
  return ttl.count === 0 ? undefined : ttl;
}

/** Copies that one server cannot keep are refused: taking the file without them would be a lie. */
function replicaPlacementOf(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^[0-2]{1,3}$/.test(text))
    throw new HttpError(406, `replication ${text} is none such as 000`);
  if (Number(text) > 0) {
    throw new HttpError(406, `replication ${text} cannot be had: there is one volume server`);
  }
  return 0;
}

/** Three digits: other centres, other racks, other servers. */
export function replicationText(placement: number): string {
  return String(placement).padStart(3, "0");
}
