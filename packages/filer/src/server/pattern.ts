/** Names with `*` for anything and `?` for one character. Linear in the name for each star: no pattern can be slow. */
export function matchesName(pattern: string, name: string): boolean {
  let at = 0;
  let patternAt = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (at < name.length) {
    const wanted = pattern[patternAt];
    if (wanted === "*") {
      starAt = patternAt++;
      resumeAt = at;
    } else if (wanted !== undefined && (wanted === "?" || wanted === name[at])) {
      patternAt++;
      at++;
    } else if (starAt !== -1) {
      patternAt = starAt + 1;
      at = ++resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[patternAt] === "*") patternAt++;
  return patternAt === pattern.length;
}
