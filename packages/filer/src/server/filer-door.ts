import { type Clock, type Foreground, type Log, Semaphore, type TcpNetwork } from "@kelp/base";
import {
  type HttpDoor,
  HttpError,
  type HttpHandler,
  type HttpReply,
  type HttpRequest,
  emptyReply,
  headerText,
  jsonReply,
  openHttpDoor,
  textReply,
} from "@kelp/base/http";
import {
  type Appends,
  type Authorizer,
  type DoorGate,
  type Entry,
  type Filer,
  type TreeName,
  admitCaller,
} from "@kelp/wire";
import { Access } from "./access.ts";
import { tagsFromHeaders, withoutTags } from "./attributes.ts";
import { deletePath } from "./delete-path.ts";
import { folderJson } from "./entry-json.ts";
import { explainFilerError, notFound } from "./explain-error.ts";
import {
  type FilePath,
  type FilerPath,
  type FolderPath,
  asFile,
  asFolder,
  filerPath,
  parseFilerPath,
} from "./filer-path.ts";
import { findEntry, folderExists, folderMarker } from "./folder.ts";
import {
  CHANGE_ATTEMPTS_MAX,
  LISTING_ENTRIES_MAX,
  PAGE_ENTRIES_DEFAULT,
  PAGE_ENTRIES_MAX,
} from "./limits.ts";
import { listingPage } from "./listing-page.ts";
import {
  type Child,
  type ListingQuery,
  children,
  describeChild,
  listingQuery,
  listingReply,
} from "./listing.ts";
import { movePath } from "./move-path.ts";
import { PathLock } from "../chunk/path-lock.ts";
import { readFile } from "./read-file.ts";
import { type WriteDeps, changeAttributes, makeFolder, writeFile } from "./write-file.ts";

export interface FilerDoorOptions {
  readonly filer: Filer & Appends;
  readonly gate: DoorGate;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly network: TcpNetwork;
  readonly address: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Told of each request. */
  readonly foreground?: Foreground | undefined;
}

/** Opens the HTTP interface of a filer. Rejects with the system's error when the port cannot be had. */
export function openFilerDoor(options: FilerDoorOptions): Promise<HttpDoor> {
  const { network, address, port, clock, log, foreground } = options;
  return openHttpDoor({
    handler: new FilerHandler(options),
    network,
    address,
    port,
    clock,
    log,
    foreground,
  });
}

const METHODS = "GET, HEAD, PUT, POST, DELETE, OPTIONS";
const SMALL_BODIES_BYTES = 64 * 1024 * 1024;

class FilerHandler implements HttpHandler {
  readonly explain = explainFilerError;
  readonly #options: FilerDoorOptions;
  readonly #deps: WriteDeps;

  constructor(options: FilerDoorOptions) {
    const { filer, clock } = options;
    this.#options = options;
    const bodies = new Semaphore(SMALL_BODIES_BYTES);
    this.#deps = { filer, clock, bodies, lock: new PathLock() };
  }

  async handle(request: HttpRequest): Promise<HttpReply> {
    const { method, rawPath } = request;
    if (rawPath === "/healthz" || rawPath === "/readyz") return textReply(200, "ok\n");
    switch (method) {
      case "GET":
      case "HEAD":
        return this.#read(request, await this.#admit(request, "reads"));
      case "PUT":
      case "POST":
        return this.#write(request, await this.#admit(request, "changes"));
      case "DELETE":
        return this.#delete(request, await this.#admit(request, "changes"));
      case "OPTIONS":
        return emptyReply(204, { Allow: METHODS });
      default:
        throw new HttpError(405, "Method not allowed", { headers: { Allow: METHODS } });
    }
  }

  async #admit(request: HttpRequest, effect: "reads" | "changes"): Promise<Access> {
    const { gate, authorizer } = this.#options;
    const caller = await admitCaller(gate, request, {
      effect,
      tokens: "path",
      queryToken: request.rawQuery.includes("jwt=") ? request.query.text("jwt") : undefined,
    });
    return new Access(authorizer, caller, request.method);
  }

  // ---- reading

  async #read(request: HttpRequest, access: Access): Promise<HttpReply> {
    const path = parseFilerPath(request.rawPath);
    if (request.query.has("proxyChunkId")) {
      throw new HttpError(501, "Chunks are read from the volume server");
    }
    if (path.kind === "buckets") return this.#listBuckets(request, access);
    if (path.kind === "file") return this.#readFile(request, access, path);
    if (await this.#isFolder(access, path)) return this.#readFolder(request, access, path);
    // A slash too many is forgiven where only a file can be meant.
    const file = asFile(path);
    if (file === undefined) {
      access.require("list", { tree: path.tree, key: path.prefix });
      throw notFound();
    }
    return this.#readFile(request, access, file);
  }

  async #readFile(request: HttpRequest, access: Access, path: FilePath): Promise<HttpReply> {
    const { filer } = this.#options;
    if (access.may("read", path)) {
      const entry = await this.#findVisible(path);
      if (entry !== undefined) return readFile(filer, request, { path, entry });
    }
    const folder = asFolder(path);
    if (await this.#isFolder(access, folder)) return this.#readFolder(request, access, folder);
    // Who may not see what is there does not learn what is not.
    if (!access.may("list", { tree: path.tree, key: path.key }))
      throw new HttpError(403, "Access denied");
    access.require("read", path);
    throw notFound();
  }

  /** Only trees of kind bucket are buckets: the name of another tree is as absent as any. */
  async #findVisible(path: FilePath): Promise<Entry | undefined> {
    return (await this.#isOpen(path.tree))
      ? findEntry(this.#options.filer, path.tree, path.key)
      : undefined;
  }

  async #isOpen(tree: TreeName): Promise<boolean> {
    const kind = (await this.#options.filer.getTree(tree))?.kind;
    return kind === "bucket" || kind === "root";
  }

  /** A tree that this door does not show is as absent to changes as to readers. */
  async #refuseHidden(path: FilerPath): Promise<void> {
    if (path.kind === "buckets") return;
    const tree = await this.#options.filer.getTree(path.tree);
    if (tree !== undefined && !(await this.#isOpen(path.tree))) throw notFound();
  }

  async #isFolder(access: Access, path: FolderPath): Promise<boolean> {
    if (!access.may("list", { tree: path.tree, key: path.prefix })) return false;
    if (path.text === "/") return true;
    return (await this.#isOpen(path.tree)) && folderExists(this.#options.filer, path);
  }

  async #readFolder(request: HttpRequest, access: Access, path: FolderPath): Promise<HttpReply> {
    access.require("list", { tree: path.tree, key: path.prefix });
    const { filer } = this.#options;
    if (request.query.isTrue("metadata")) {
      const marker = asListed(access, path.tree, await folderMarker(filer, path));
      return jsonReply(request, 200, folderJson(path.text, marker));
    }
    return this.#list(request, {
      text: path.text,
      canUpload: true,
      children: (query) => children(filer, path, query),
      describe: async (child) =>
        child.item === undefined
          ? undefined
          : asListed(access, path.tree, await describeChild(filer, path, child)),
    });
  }

  async #listBuckets(request: HttpRequest, access: Access): Promise<HttpReply> {
    const seesAll = access.mayListBuckets();
    const trees = (await this.#options.filer.listTrees()).filter(
      (tree) =>
        tree.kind === "bucket" && (seesAll || access.may("list", { tree: tree.name, key: "" })),
    );
    if (!seesAll && trees.length === 0) throw new HttpError(403, "Access denied");
    if (request.query.isTrue("metadata")) {
      return jsonReply(request, 200, folderJson("/buckets", undefined));
    }
    async function* buckets(query: ListingQuery): AsyncGenerator<Child> {
      const last = query.lastFileName.replace(/\/$/, "");
      const after = trees.filter(({ name }) => name > last);
      for (const { name } of after.slice(0, query.limit)) {
        yield { kind: "folder", name, fullPath: `/buckets/${name}`, cursor: name, item: undefined };
      }
    }
    return this.#list(request, {
      text: "/buckets",
      canUpload: false,
      children: buckets,
      describe: () => Promise.resolve(undefined),
    });
  }

  async #list(
    request: HttpRequest,
    folder: {
      readonly text: string;
      readonly canUpload: boolean;
      readonly children: (query: ListingQuery) => AsyncGenerator<Child>;
      readonly describe: (child: Child) => Promise<Entry | undefined>;
    },
  ): Promise<HttpReply> {
    const { filer, version } = this.#options;
    if (headerText(request.headers, "accept") === "application/json") {
      const query = listingQuery(request, { usual: LISTING_ENTRIES_MAX, max: LISTING_ENTRIES_MAX });
      const { text, describe } = folder;
      const listed = folder.children(query);
      return listingReply(request, {
        filer,
        path: text,
        version,
        query,
        children: listed,
        describe,
      });
    }
    const query = listingQuery(request, { usual: PAGE_ENTRIES_DEFAULT, max: PAGE_ENTRIES_MAX });
    const shown: Child[] = [];
    for await (const child of folder.children(query)) shown.push(child);
    const { text: path, canUpload } = folder;
    return listingPage({ path, children: shown, query, version, canUpload });
  }

  // ---- changing

  async #write(request: HttpRequest, access: Access): Promise<HttpReply> {
    const { query } = request;
    const path = parseFilerPath(request.rawPath);
    const { filer } = this.#options;
    for (const [parameter, kind] of MOVES) {
      const source = query.text(parameter);
      if (source === undefined) continue;
      const from = filerPath(source);
      await this.#refuseHidden(from);
      await this.#refuseHidden(path);
      return movePath({ kind, filer, access }, from, path);
    }
    await this.#refuseHidden(path);
    if (query.has("tagging")) return this.#tag(request, access, path);
    if (path.kind === "buckets") throw new HttpError(409, "/buckets holds buckets only");
    // A form is told by its type; without one, a path that ends with a slash is a folder to be made.
    const isFile = path.kind === "file" || request.body.isPresent;
    if (!isFile) return makeFolder(filer, request, { path, access });
    return writeFile(this.#deps, request, { path, access });
  }

  async #tag(request: HttpRequest, access: Access, path: FilerPath): Promise<HttpReply> {
    const file = this.#taggable(access, path);
    const tags = tagsFromHeaders(request.headers);
    if (Object.keys(tags).length === 0) throw new HttpError(400, "There are no Seaweed- headers");
    await changeAttributes(
      this.#options.filer,
      file,
      ({ attributes }) => ({ ...attributes, ...tags }),
      CHANGE_ATTEMPTS_MAX,
    );
    return emptyReply(202);
  }

  async #untag(request: HttpRequest, access: Access, path: FilerPath): Promise<HttpReply> {
    const file = this.#taggable(access, path);
    const names = (request.query.text("tagging") ?? "").split(",").filter((name) => name !== "");
    const state = await changeAttributes(
      this.#options.filer,
      file,
      ({ attributes }) => {
        const kept = withoutTags(attributes, names);
        return Object.keys(kept).length === Object.keys(attributes).length ? undefined : kept;
      },
      CHANGE_ATTEMPTS_MAX,
    );
    return emptyReply(state === "changed" ? 202 : 304);
  }

  #taggable(access: Access, path: FilerPath): FilePath {
    if (path.kind !== "file") throw new HttpError(400, "Only files have tags");
    access.require("tag", path);
    return path;
  }

  async #delete(request: HttpRequest, access: Access): Promise<HttpReply> {
    const path = parseFilerPath(request.rawPath);
    await this.#refuseHidden(path);
    if (request.query.has("tagging")) return this.#untag(request, access, path);
    if (path.kind === "buckets")
      throw new HttpError(403, "The folder of buckets cannot be deleted");
    return deletePath(this.#options.filer, request, { path, access });
  }
}

/** Who may list sees names and sizes, as at the S3 door; what was said of a file is for those who may read it. */
function asListed(access: Access, tree: TreeName, entry: Entry | undefined): Entry | undefined {
  if (entry === undefined || access.coversAllBelow) return entry;
  return access.may("read", { tree, key: entry.path }) ? entry : { ...entry, attributes: {} };
}

const MOVES = [
  ["mv.from", "move"],
  ["cp.from", "copy"],
] as const;
