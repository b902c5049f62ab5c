import { collectBytes } from "@kelp/base";
import { objectArn } from "@kelp/wire";
import type { ApiContext, ApiDeps } from "./context.ts";
import { ApiError } from "./errors.ts";
import { PACKAGE_BYTES_MAX } from "./limits.ts";
import type { PipelineVersionInput } from "./messages/catalog.ts";
import { parseStoreUri } from "./store-uri.ts";
import { checkSpec } from "./check-spec.ts";
import { readPackage } from "./upload/package.ts";

/**
 * The specification of a version that is created by JSON: given as `pipeline_spec`, or at `package_url` in a bucket of
 * this store that the caller may read. The server fetches from no other host: whoever may create a version would
 * choose where its requests go. Throws `ApiError`.
 */
export async function readSpecOfVersion(
  deps: ApiDeps,
  context: ApiContext,
  version: PipelineVersionInput,
): Promise<unknown> {
  const url = version.package_url?.pipeline_url ?? "";
  if (version.pipeline_spec !== undefined) return checkSpec(version.pipeline_spec);
  if (url === "") {
    throw new ApiError(
      "invalid-argument",
      "Cannot create the version: neither package_url nor pipeline_spec is given",
    );
  }
  const bytes = await readFromStore(deps, context, url);
  return checkSpec(readPackage(url, bytes, deps.parseYaml));
}

async function readFromStore(deps: ApiDeps, context: ApiContext, url: string): Promise<Uint8Array> {
  const place = parseStoreUri(url);
  if (place === undefined) {
    throw new ApiError(
      "invalid-argument",
      `Cannot read package ${url}: packages are read from s3://bucket/key of this store; upload a file from elsewhere`,
    );
  }
  const { principal } = context.env;
  const resource = objectArn(place.bucket, place.key);
  if (deps.authorizer.authorize({ principal, action: "s3:GetObject", resource }).kind === "deny") {
    throw new ApiError("permission-denied", `Cannot read package ${url}: no permission`);
  }
  const object = await deps.objects.getObject(place.bucket, place.key);
  if (object === undefined) {
    throw new ApiError("not-found", `Cannot read package ${url}: there is no such object`);
  }
  const bytes = await collectBytes(object.body, PACKAGE_BYTES_MAX);
  if (bytes !== undefined) return bytes;
  throw new ApiError(
    "too-large",
    `Cannot read package ${url}: it has more than ${PACKAGE_BYTES_MAX} bytes`,
  );
}
