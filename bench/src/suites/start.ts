import type { Measurement } from "../load.ts";
import { benchFolder, startServer } from "../server-process.ts";
import { RequestSigner } from "../signed-request.ts";
import { fillBucket } from "./list.ts";
import { serverStarts } from "./server-starts.ts";

/** The rest is long enough for the start to be over, short enough to wait for. */
const STARTS = { starts: 5, restMs: 3000 };

/** From the start of the process to the first answer, with an empty folder and with 100,000 objects; memory at rest. */
export async function startSuite(): Promise<Measurement[]> {
  using folder = benchFolder();
  const empty = await serverStarts("start to first answer, empty", `${folder.path}/empty`, STARTS);
  const dir = `${folder.path}/full`;
  {
    await using server = await startServer(dir);
    await fillBucket(server, new RequestSigner(server.credentials, server.s3Port));
  }
  return [empty, await serverStarts("start to first answer, 100k objects", dir, STARTS)];
}
