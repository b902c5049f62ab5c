import { XmlDocumentType, XmlElement, parseXml } from "@rgrove/parse-xml";
import { S3Error } from "../errors.ts";
import { DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX } from "../limits.ts";

/**
 * The root element of a document that a client sent, which must have the given name.
 * Throws `MalformedXML` for anything else: no UTF-8, a document type, nesting that no document of the API has.
 */
export function parseDocument(bytes: Uint8Array, rootName: string): XmlElement {
  if (bytes.length > DOCUMENT_BYTES_MAX) throw new S3Error("MaxMessageLengthExceeded");
  const root = parseRoot(bytes);
  if (localName(root) !== rootName) throw malformed(`the root element is not ${rootName}`);
  return root;
}

/** Child elements of that name, in order. */
export function childrenNamed(parent: XmlElement, name: string): XmlElement[] {
  const found: XmlElement[] = [];
  for (const child of parent.children) {
    if (child instanceof XmlElement && localName(child) === name) found.push(child);
  }
  return found;
}

/** Text of the one child of that name; `undefined` when there is none. Throws `MalformedXML` when there are several. */
export function childText(parent: XmlElement, name: string): string | undefined {
  let text: string | undefined;
  for (const child of parent.children) {
    if (!(child instanceof XmlElement) || localName(child) !== name) continue;
    if (text !== undefined) throw malformed(`${name} stands more than once`);
    text = child.text;
  }
  return text;
}

export function malformed(reason: string): S3Error {
  return new S3Error("MalformedXML", undefined, { details: { Reason: reason } });
}

function parseRoot(bytes: Uint8Array): XmlElement {
  const text = decode(bytes);
  checkDepth(text);
  try {
    const document = parseXml(text, { preserveDocumentType: true });
    if (document.children.some((child) => child instanceof XmlDocumentType)) {
      throw malformed("a document type is not allowed");
    }
    if (document.root === null) throw malformed("there is no root element");
    return document.root;
  } catch (cause) {
    if (cause instanceof S3Error) throw cause;
    // Whatever a parser does with hostile text, running out of stack included, is the text's fault.
    throw new S3Error("MalformedXML", undefined, { cause });
  }
}

/** The parser recurses: plainly deep text is refused before it runs. What hides its depth meets the catch above. */
function checkDepth(text: string): void {
  let depth = 0;
  let at = text.indexOf("<");
  while (at !== -1) {
    const next = text.charCodeAt(at + 1);
    if (next === SLASH) depth--;
    else if (next !== QUESTION_MARK && next !== EXCLAMATION_MARK) {
      const end = text.indexOf(">", at);
      if (end === -1) return;
      if (text.charCodeAt(end - 1) !== SLASH) depth++;
    }
    if (depth > DOCUMENT_DEPTH_MAX) throw malformed("elements are nested too deeply");
    at = text.indexOf("<", at + 1);
  }
}

const SLASH = 0x2f;
const QUESTION_MARK = 0x3f;
const EXCLAMATION_MARK = 0x21;

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new S3Error("MalformedXML", undefined, { cause });
  }
}

function localName(element: XmlElement): string {
  const colon = element.name.indexOf(":");
  return colon === -1 ? element.name : element.name.slice(colon + 1);
}
