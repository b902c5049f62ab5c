const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:";

/**
 * Puts a policy before anything that a stored page says. The frame's `sandbox` already takes scripts, forms and the
 * origin away; the policy also keeps the page from loading anything, from this door or any other.
 */
export function sandboxedDocument(html: string): string {
  return `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}">${html}`;
}
