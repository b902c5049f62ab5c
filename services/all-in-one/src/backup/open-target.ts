import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { systemDisk } from "@kelp/base/platform";
import { BackupError, type BackupTarget, FolderTarget } from "@kelp/filer";
import { makePrivateFolder } from "../folder/private-folder.ts";
import type { Environment } from "../keys/master-keys.ts";
import { isAlive } from "./live-process.ts";
import { S3Target } from "./s3-target.ts";

/** A place of backups, and where copies of databases may stand while one is made or read. */
export interface OpenedTarget {
  readonly target: BackupTarget;
  /** As a person would say it. */
  readonly name: string;
  readonly workParent: string;
  /** Of the S3 service, where it is one and was named. */
  readonly endpoint: string | undefined;
}

export interface TargetPlace {
  /** A folder, or `s3://BUCKET` or `s3://BUCKET/PREFIX`. */
  readonly place: string;
  readonly currentFolder: string;
  readonly environment: Environment;
  /** Of the S3 service; default from the environment. */
  readonly endpoint: string | undefined;
  readonly workFolder: string | undefined;
}

/** Throws `BackupError` `target-unusable` for an `s3:` address that is none. */
export function placeOf(given: TargetPlace): OpenedTarget {
  const { place, environment, currentFolder } = given;
  const work =
    given.workFolder === undefined ? undefined : resolve(currentFolder, given.workFolder);
  if (!place.startsWith("s3:")) {
    const folder = resolve(currentFolder, place);
    return {
      target: new FolderTarget(systemDisk, folder),
      name: folder,
      workParent: work ?? folder,
      endpoint: undefined,
    };
  }
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/*$/.exec(place);
  const [, bucket, prefix = ""] = match ?? [];
  if (bucket === undefined) {
    throw new BackupError("target-unusable", `${place} is not s3://BUCKET or s3://BUCKET/PREFIX`);
  }
  const endpoint =
    given.endpoint ?? environment["AWS_ENDPOINT_URL_S3"] ?? environment["AWS_ENDPOINT_URL"];
  const target = new S3Target({
    bucket,
    prefix,
    endpoint,
    region: environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"],
    accessKeyId: environment["AWS_ACCESS_KEY_ID"],
    secretAccessKey: environment["AWS_SECRET_ACCESS_KEY"],
    sessionToken: environment["AWS_SESSION_TOKEN"],
  });
  return { target, name: place, workParent: work ?? tmpdir(), endpoint };
}

const WORK_PREFIX = ".kelp-work-";

/** A folder of this process's own, removed with everything in it; what killed processes left there is removed as well. */
export function makeWorkFolder(parent: string): Disposable & { readonly path: string } {
  makePrivateFolder(parent);
  for (const name of readdirSync(parent)) {
    const pid = Number(/^\.kelp-work-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
    if (!Number.isNaN(pid) && !isAlive(pid)) {
      rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
  const path = mkdtempSync(join(parent, `${WORK_PREFIX}${process.pid}-`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
