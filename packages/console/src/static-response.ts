import { type StaticFiles, isImmutablePath } from "./static-files.ts";

/**
 * What the app's own pages may do: load from this door only, run no inline script, be framed by nobody.
 * Inline styles are needed by the component library's computed positions; `blob:` images, frames and workers are
 * previews that the app made itself.
 */
export const APP_CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "frame-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  map: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  webp: "image/webp",
  woff2: "font/woff2",
};

const NOT_BUILT = `The web console is not built in this copy of Kelp.
Build it with: bun run --cwd packages/console build
The S3 door, /api/v1 and the pipelines API work without it.
`;

/** Answers a GET or HEAD outside the APIs with a file of the app. Pages are hash routes, so `/` is the only page. */
export async function staticResponse(
  files: StaticFiles | undefined,
  request: { readonly method: string; readonly path: string },
): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return plainText(405, "Only GET and HEAD are answered here\n");
  }
  const path = request.path === "/" ? "index.html" : request.path.slice(1);
  const content = await files?.read(path);
  if (content !== undefined) {
    const body = request.method === "HEAD" ? null : Uint8Array.from(content);
    return new Response(body, { headers: fileHeaders(path, content.length) });
  }
  return path === "index.html" ? plainText(503, NOT_BUILT) : plainText(404, "No such file\n");
}

function fileHeaders(path: string, sizeBytes: number): Record<string, string> {
  const extension = path.slice(path.lastIndexOf(".") + 1);
  return {
    ...SAFETY_HEADERS,
    "cache-control": isImmutablePath(path) ? "public, max-age=31536000, immutable" : "no-cache",
    "content-length": String(sizeBytes),
    "content-security-policy": APP_CONTENT_SECURITY_POLICY,
    "content-type": CONTENT_TYPES[extension] ?? "application/octet-stream",
  };
}

const SAFETY_HEADERS = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

function plainText(status: number, text: string): Response {
  return new Response(text, {
    status,
    headers: {
      ...SAFETY_HEADERS,
      "cache-control": "no-store",
      "content-type": "text/plain; charset=utf-8",
    },
  });
}
