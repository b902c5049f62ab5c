import { Fragment, type ReactNode } from "react";

/** Facts of one thing: name on the left, value on the right. */
export function KeyValues(props: { readonly entries: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="key-values">
      {props.entries.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
