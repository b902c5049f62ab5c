/** What a person sees when the server is ready: where it is, who they are to it, and what to try. */
export interface BannerFacts {
  readonly version: string;
  readonly dir: string;
  readonly s3Url: string;
  readonly consoleUrl: string;
  readonly masterUrl: string;
  readonly volumeUrl: string;
  readonly filerUrl: string;
  readonly accessKey: string;
  readonly credentialsFile: string;
  readonly isLocalUserTrusted: boolean;
  /** How the CLI is started from where the user is, quoted for a shell. */
  readonly program: string;
  /** `--dir …` when the folder is not the default. */
  readonly dirFlag: string;
}

export function bannerText(facts: BannerFacts): string {
  const { program, dirFlag } = facts;
  const signIn = facts.isLocalUserTrusted
    ? "open for you on this machine; from elsewhere sign in with the key pair"
    : "sign in with the key pair";
  return [
    `Kelp ${facts.version} is ready. Data: ${facts.dir}`,
    "",
    `  S3          ${facts.s3Url}`,
    `  Console     ${facts.consoleUrl}   (${signIn})`,
    `  Pipelines   ${facts.consoleUrl}   (host of kfp.Client)`,
    `  Filer       ${facts.filerUrl}   (files by path, for SeaweedFS clients and browsers)`,
    `  Master      ${facts.masterUrl}   Volumes  ${facts.volumeUrl}`,
    `  Access key  ${facts.accessKey}`,
    `  Secret      in ${facts.credentialsFile}`,
    "",
    "Try:",
    `  eval "$(${program} env${dirFlag})" && aws s3 mb s3://first && aws s3 ls`,
    `  ${program} shell${dirFlag} -c "s3.bucket.list"`,
    `  ${program} run pipeline.yaml${dirFlag}`,
    "",
    "Ctrl-C ends it.",
  ].join("\n");
}
