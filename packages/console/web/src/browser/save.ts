/** Lets the browser save what `address` answers (the door sends stored content as an attachment). */
export function saveFromAddress(address: string, name: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.rel = "noopener";
  link.click();
}

/** Lets the browser save a text that the app made itself. */
export function saveText(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  saveFromAddress(address, name);
  URL.revokeObjectURL(address);
}
