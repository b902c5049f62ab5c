/** XML by plain concatenation: the documents are small in kind, and listings are hot. */

export const XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
export const S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

/** A whole document whose root stands in S3's namespace. `content` is XML already. */
export function xmlDocument(root: string, content: string): string {
  return `${XML_HEAD}<${root} xmlns="${S3_NAMESPACE}">${content}</${root}>`;
}

/** One element with escaped text. */
export function element(name: string, text: string | number | boolean): string {
  return typeof text === "string"
    ? `<${name}>${escapeXml(text)}</${name}>`
    : `<${name}>${text}</${name}>`;
}

/** One element, or nothing when there is no text. */
export function optionalElement(name: string, text: string | number | undefined): string {
  return text === undefined ? "" : element(name, text);
}

/**
 * Text as XML character data. Control characters become references, as S3 writes them: XML 1.0 parsers refuse most of
 * those, which is why clients ask for `encoding-type=url`, but the document never lies about a key.
 */
export function escapeXml(text: string): string {
  return SPECIAL.test(text) ? text.replace(SPECIAL_ALL, escapeOne) : text;
}

function escapeOne(char: string): string {
  switch (char) {
    case "&":
      return "&amp;";
    case "<":
      return "&lt;";
    case ">":
      return "&gt;";
    case '"':
      return "&quot;";
    default:
      return `&#x${char.charCodeAt(0).toString(16).toUpperCase()};`;
  }
}

// oxlint-disable-next-line no-control-regex -- control characters are what these look for
const SPECIAL = /[&<>"\u0000-\u001f\u007f-\u009f\u2028\ufffe\uffff]/;
// oxlint-disable-next-line no-control-regex -- control characters are what these look for
const SPECIAL_ALL = /[&<>"\u0000-\u001f\u007f-\u009f\u2028\ufffe\uffff]/g;
