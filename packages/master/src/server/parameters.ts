import { Semaphore, utf8Text } from "@kelp/base";
import { type HttpRequest, Query, headerText } from "@kelp/base/http";
import { PARAMETERS_BYTES_MAX } from "./limits.ts";

/** Small enough never to ask it: bodies of this size are taken without a budget. */
const BUDGET = new Semaphore(PARAMETERS_BYTES_MAX);

/** What the query says, and, of a POST that is a plain form, what its body says besides. Throws `HttpError` 400, 413. */
export async function parametersOf(request: HttpRequest): Promise<Query> {
  const type = headerText(request.headers, "content-type") ?? "";
  const isForm = /^application\/x-www-form-urlencoded\s*(;|$)/i.test(type);
  if (request.method !== "POST" || !isForm || !request.body.isPresent) return request.query;
  using body = await request.body.whole(PARAMETERS_BYTES_MAX, BUDGET);
  return new Query(`${request.rawQuery}&${utf8Text(body.bytes)}`);
}
