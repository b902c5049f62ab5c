/**
 * Writes whole lines, each before the call returns, and throws nothing: a log whose disk is full or whose reader is gone loses lines, never the work that they tell of. The
 * first that can be written again comes behind `lostLine` of how many were lost.
 *
 * @param write takes some of the bytes, at least one, and tells how many; throws when it can take none
 */
export function lineWriter(
  write: (bytes: Uint8Array) => number,
  lostLine: (count: number) => string,
): (line: string) => void {
  let lostCount = 0;
  let isTorn = false;
  /** Whether all of it is out. */
  const put = (text: string): boolean => {
    const bytes = Buffer.from(text);
    let at = 0;
    try {
      while (at < bytes.length) at += write(bytes.subarray(at));
      isTorn = false;
    } catch {
      // Whatever it is, there is no other place to tell it.
      if (at > 0) isTorn = bytes[at - 1] !== NEWLINE;
    }
    return at === bytes.length;
  };
  return (line) => {
    if (lostCount > 0) {
      if (!put(`${isTorn ? "\n" : ""}${lostLine(lostCount)}`)) {
        lostCount++;
        return;
      }
      lostCount = 0;
    }
    if (!put(line)) lostCount++;
  };
}

const NEWLINE = 0x0a;
