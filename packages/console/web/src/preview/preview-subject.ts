/** A stored content that is to be shown. */
export interface PreviewSubject {
  /** Where this door gives out the bytes. */
  readonly address: string;
  readonly key: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly artifactType?: string | undefined;
}
