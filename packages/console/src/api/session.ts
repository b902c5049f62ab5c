import type { SessionMessage } from "@kelp/wire/management";
import { z } from "zod";
import { type Admitted, admitted } from "../access.ts";
import type { ConsoleDependencies } from "../dependencies.ts";
import { ConsoleError } from "../errors.ts";
import { readJson } from "../request-body.ts";
import type { Api } from "./routes.ts";

const signInSchema = z.strictObject({
  access_key: z.string().min(1).max(256),
  secret_key: z.string().min(1).max(256),
});

export function addSessionRoutes(api: Api, { gate }: ConsoleDependencies): void {
  api.get("/session", (context) => {
    const caller = admitted(context);
    return context.json(sessionMessage(caller.principal, caller.via));
  });

  api.post("/session", async (context) => {
    refuseForeign(context.env.admission);
    const body = await readJson(context.req.raw, signInSchema);
    const signedIn = await gate.signIn({
      accessKey: body.access_key,
      secretKey: body.secret_key,
      remoteAddress: context.env.gateRequest.remoteAddress,
    });
    if (signedIn === undefined) {
      throw new ConsoleError("sign-in-failed", "This access key and secret do not fit together");
    }
    context.header("set-cookie", signedIn.cookie);
    return context.json(sessionMessage(signedIn.principal, "session"));
  });

  api.delete("/session", (context) => {
    refuseForeign(context.env.admission);
    context.header("set-cookie", gate.signOut(context.env.gateRequest).cookie);
    return context.body(null, 204);
  });
}

function refuseForeign(admission: Admitted | { kind: "refused"; status: number; message: string }) {
  if (admission.kind === "refused" && admission.status === 403) {
    throw new ConsoleError("foreign-origin", admission.message);
  }
}

function sessionMessage(
  principal: Admitted["principal"],
  via: SessionMessage["via"],
): SessionMessage {
  if (principal.kind === "anonymous") {
    throw new ConsoleError("sign-in-required", "Sign in first");
  }
  return { principal: principal.name, kind: principal.kind, via };
}
