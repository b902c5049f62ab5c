import type { HttpReply } from "./reply.ts";

/** Text as it may stand in an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** A page made here: it runs no script, loads nothing, stands in no frame, and posts only to its own door. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/**
 * For content that a client stored: whatever it is, a browser gives it an origin of its own and runs nothing of it, so
 * that a stored page cannot act as the person who looks at it.
 */
export const CONTENT_POLICY = "sandbox";

const STYLE = `
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1c2b2d; background: #fbfdfc; }
  h1 { font-size: 1.25rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d9e5e2; overflow-wrap: anywhere; }
  th { font-weight: 600; } td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
  a { color: #0b6b5d; text-decoration: none; } a:hover, a:focus { text-decoration: underline; }
  .quiet { color: #5b6f6c; }
  @media (prefers-color-scheme: dark) { body { color: #dbe7e4; background: #101817; } a { color: #6fd3c1; } th, td { border-color: #26413c; } .quiet { color: #93aaa5; } }
`;

/** `body` is HTML whose texts are escaped already. */
export function htmlReply(page: { readonly title: string; readonly body: string }): HttpReply {
  const title = escapeHtml(page.title);
  return {
    kind: "bytes",
    status: 200,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": PAGE_POLICY,
      "Referrer-Policy": "same-origin",
      "Cache-Control": "no-store",
    },
    body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${STYLE}</style></head><body>${page.body}</body></html>`,
  };
}

/** A table; cells are HTML already. Columns whose title ends with `#` hold numbers. */
export function htmlTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const classes = titles.map((title) => (title.endsWith("#") ? ' class="number"' : ""));
  const head = titles.map((title, at) => `<th${classes[at]}>${title.replace(/#$/, "")}</th>`);
  const body = rows.map(
    (cells) =>
      `<tr>${cells.map((cell, at) => `<td${classes[at] ?? ""}>${cell}</td>`).join("")}</tr>`,
  );
  return `<table><thead><tr>${head.join("")}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

export function readableSize(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** How long something has been up, to two units. */
export function readableDuration(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first === -1 ? 3 : first)
    .slice(0, 2)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}
