import { storeError } from "../../../errors.ts";

/** What reads throw is thrown as `FilerError`. */
export function reading<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw storeError(error);
  }
}

export async function readingLong<Value>(read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    throw storeError(error);
  }
}
