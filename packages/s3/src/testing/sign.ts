import { hex, utf8 } from "@kelp/base";
import { systemHashes } from "@kelp/base/platform";
import { TEST_KEY } from "./door.ts";

/**
 * Headers that sign a request of `TEST_KEY` whose body stays unsigned. Written from the protocol's description, apart
 * from the code under test. `query` must be in canonical order, each name with its `=`; `also` is one more header to
 * sign, by a name that sorts between `x-amz-checksum` and `x-amz-content`.
 */
export function signedHeaders(
  request: {
    readonly method: string;
    readonly path: string;
    readonly query?: string;
    readonly also?: readonly [name: string, value: string];
  },
  host: string,
): Record<string, string> {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const { also } = request;
  const signed = `host;${also === undefined ? "" : `${also[0]};`}x-amz-content-sha256;x-amz-date`;
  const alsoLine = also === undefined ? "" : `${also[0]}:${also[1]}\n`;
  const canonical =
    `${request.method}\n${request.path}\n${request.query ?? ""}\n` +
    `host:${host}\n${alsoLine}x-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:${time}\n\n` +
    `${signed}\nUNSIGNED-PAYLOAD`;
  const digest = hex(systemHashes.digest("sha256", utf8(canonical)));
  let key: Uint8Array = utf8(`AWS4${TEST_KEY.secret}`);
  for (const part of scope.split("/")) key = systemHashes.hmacSha256(key, part);
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${digest}`;
  const signature = hex(systemHashes.hmacSha256(key, text));
  return {
    host,
    ...(also !== undefined && { [also[0]]: also[1] }),
    "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    "x-amz-date": time,
    authorization: `AWS4-HMAC-SHA256 Credential=${TEST_KEY.id}/${scope},SignedHeaders=${signed},Signature=${signature}`,
  };
}
