/** Rows of a CSV or TSV text (RFC 4180: quotes, doubled quotes, line breaks inside quotes), up to `rowCountMax`. */
export function parseDelimited(
  text: string,
  options: { readonly delimiter: string; readonly rowCountMax: number },
): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  let position = text.startsWith("\uFEFF") ? 1 : 0;
  while (position < text.length && rows.length < options.rowCountMax) {
    const field = readField(text, position, options.delimiter);
    row.push(field.value);
    position = field.end;
    if (text[position] === options.delimiter) {
      position += 1;
      if (position === text.length) row.push("");
      else continue;
    }
    if (text[position] === "\r" && text[position + 1] === "\n") position += 2;
    else position += 1;
    rows.push(row);
    row = [];
  }
  if (row.length > 0 && rows.length < options.rowCountMax) rows.push(row);
  return rows;
}

interface Field {
  readonly value: string;
  /** Where the delimiter, the line break or the end stands. */
  readonly end: number;
}

function readField(text: string, start: number, delimiter: string): Field {
  if (text[start] === '"') return readQuoted(text, start);
  let end = start;
  while (end < text.length && text[end] !== delimiter && text[end] !== "\n" && text[end] !== "\r") {
    end += 1;
  }
  return { value: text.slice(start, end), end };
}

function readQuoted(text: string, start: number): Field {
  let value = "";
  let position = start + 1;
  for (;;) {
    const quote = text.indexOf('"', position);
    // A text that was cut in the middle of a field.
    if (quote < 0) return { value: value + text.slice(position), end: text.length };
    value += text.slice(position, quote);
    if (text[quote + 1] !== '"') return { value, end: quote + 1 };
    value += '"';
    position = quote + 2;
  }
}
