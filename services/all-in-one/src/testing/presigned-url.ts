import { hex, utf8 } from "@kelp/base";
import { systemClock, systemHashes } from "@kelp/base/platform";

const SIGNED_SECONDS = 3600;

/**
 * The address of a request that bears its own signature (version 4, unsigned body), with any query, such as that of a part.
 * Names and values need no escapes but those of the credential.
 */
export function presignedUrl(
  base: string,
  key: { readonly accessKeyId: string; readonly secretAccessKey: string },
  asked: {
    readonly method: string;
    readonly path: string;
    readonly query?: Readonly<Record<string, string>>;
  },
): URL {
  const url = new URL(asked.path, base);
  const time = new Date(systemClock.nowMs()).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const query = {
    ...asked.query,
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${key.accessKeyId}/${scope}`,
    "X-Amz-Date": time,
    "X-Amz-Expires": `${SIGNED_SECONDS}`,
    "X-Amz-SignedHeaders": "host",
  };
  const text = Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .sort((left, right) => (left < right ? -1 : 1))
    .join("&");
  const canonical = `${asked.method}\n${asked.path}\n${text}\nhost:${url.host}\n\nhost\nUNSIGNED-PAYLOAD`;
  const digest = hex(systemHashes.digest("sha256", utf8(canonical)));
  let signing: Uint8Array = utf8(`AWS4${key.secretAccessKey}`);
  for (const part of scope.split("/")) signing = systemHashes.hmacSha256(signing, part);
  const signed = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${digest}`;
  const signature = hex(systemHashes.hmacSha256(signing, signed));
  url.search = `${text}&X-Amz-Signature=${signature}`;
  return url;
}
