import { CopyText } from "../../components/copy-text.tsx";
import { Title } from "@mantine/core";

export function Doors(props: { readonly endpoints: Readonly<Record<string, string>> }) {
  return (
    <section className="panel" style={{ padding: 14 }}>
      <Title order={2} mb={6}>
        Addresses
      </Title>
      <dl className="key-values">
        {Object.entries(props.endpoints).map(([name, address]) => (
          <DoorRow key={name} name={name} address={address} />
        ))}
      </dl>
    </section>
  );
}

function DoorRow(props: { readonly name: string; readonly address: string }) {
  return (
    <>
      <dt>{props.name}</dt>
      <dd>
        <CopyText text={props.address} />
      </dd>
    </>
  );
}
