import { Anchor, type AnchorProps, Button, type ButtonProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import { type ComponentPropsWithRef, forwardRef } from "react";

type AnchorLinkProps = Omit<AnchorProps, "href"> &
  Omit<ComponentPropsWithRef<"a">, keyof AnchorProps | "href" | "ref">;

/** A text link to a page of the app. */
export const PageLink = createLink(
  forwardRef<HTMLAnchorElement, AnchorLinkProps>(function PageAnchor(props, ref) {
    return <Anchor ref={ref} fz="inherit" {...props} />;
  }),
);

type ButtonLinkProps = Omit<ButtonProps, "href"> &
  Omit<ComponentPropsWithRef<"a">, keyof ButtonProps | "href" | "ref">;

/** A button that leads to a page of the app. */
export const PageButton = createLink(
  forwardRef<HTMLAnchorElement, ButtonLinkProps>(function PageButtonAnchor(props, ref) {
    return <Button component="a" ref={ref} {...props} />;
  }),
);
