import { isRecord } from "../../api/http.ts";

export interface RocPoint {
  readonly threshold: number;
  readonly recall: number;
  readonly falsePositiveRate: number;
}

export interface Matrix {
  readonly labels: readonly string[];
  readonly rows: readonly (readonly number[])[];
}

export interface Classification {
  readonly curve: readonly RocPoint[] | undefined;
  readonly matrix: Matrix | undefined;
  readonly rest: Readonly<Record<string, unknown>>;
}

/** Splits metadata of a classification into what can be drawn and what is listed. */
export function parseClassification(metadata: Readonly<Record<string, unknown>>): Classification {
  const rest: Record<string, unknown> = { ...metadata };
  const curve = parseCurve(metadata["confidenceMetrics"]);
  if (curve !== undefined) delete rest["confidenceMetrics"];
  const matrix = parseMatrix(metadata["confusionMatrix"]);
  if (matrix !== undefined) delete rest["confusionMatrix"];
  return { curve, matrix, rest };
}

function parseCurve(value: unknown): readonly RocPoint[] | undefined {
  // Some writers wrap the list once more: { list: [...] }.
  const list = isRecord(value) ? value["list"] : value;
  if (!Array.isArray(list) || list.length === 0) return undefined;
  return list.filter(isRecord).map((point) => ({
    threshold: Number(point["confidenceThreshold"] ?? 0),
    recall: Number(point["recall"] ?? 0),
    falsePositiveRate: Number(point["falsePositiveRate"] ?? 0),
  }));
}

function parseMatrix(value: unknown): Matrix | undefined {
  const fields = isRecord(value) && isRecord(value["struct"]) ? value["struct"] : value;
  if (!isRecord(fields)) return undefined;
  const { annotationSpecs, rows } = fields;
  if (!Array.isArray(annotationSpecs) || !Array.isArray(rows)) return undefined;
  return {
    labels: annotationSpecs.map((spec) =>
      isRecord(spec) && typeof spec["displayName"] === "string" ? spec["displayName"] : "",
    ),
    rows: rows.map((row) =>
      isRecord(row) && Array.isArray(row["row"]) ? row["row"].map(Number) : [],
    ),
  };
}
