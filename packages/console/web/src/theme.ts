import { createTheme, type CSSVariablesResolver } from "@mantine/core";

/** Calm and dense: system fonts, small controls, one accent. */
export const theme = createTheme({
  primaryColor: "kelp",
  primaryShade: { light: 8, dark: 5 },
  autoContrast: true,
  defaultRadius: "sm",
  cursorType: "pointer",
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace:
    'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: "0.72rem", sm: "0.82rem", md: "0.9rem", lg: "1.05rem", xl: "1.25rem" },
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "1.3rem", lineHeight: "1.3" },
      h2: { fontSize: "1.02rem", lineHeight: "1.35" },
      h3: { fontSize: "0.9rem", lineHeight: "1.4" },
    },
  },
  colors: {
    kelp: [
      "#edf9f2",
      "#d8f0e2",
      "#aee0c4",
      "#82d0a4",
      "#5dc288",
      "#45b977",
      "#2fa565",
      "#1d9155",
      "#0f7a45",
      "#065f34",
    ],
  },
  components: {
    Button: { defaultProps: { size: "xs" } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray", size: 26 } },
    TextInput: { defaultProps: { size: "xs" } },
    Textarea: { defaultProps: { size: "xs" } },
    NumberInput: { defaultProps: { size: "xs" } },
    PasswordInput: { defaultProps: { size: "xs" } },
    Select: { defaultProps: { size: "xs" } },
    Switch: { defaultProps: { size: "xs" } },
    SegmentedControl: { defaultProps: { size: "xs" } },
    TagsInput: { defaultProps: { size: "xs" } },
    FileInput: { defaultProps: { size: "xs" } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.35 } } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true } },
  },
});

/** Surfaces and lines that the library does not name. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#f6f8f7",
    "--kelp-surface": "#ffffff",
    "--kelp-line": "#e1e7e3",
    "--kelp-hover": "#f0f5f2",
    "--kelp-quiet": "#5c6b63",
    "--mantine-color-dimmed": "#5c6b63",
  },
  dark: {
    "--mantine-color-body": "#111614",
    "--kelp-surface": "#181f1c",
    "--kelp-line": "#2a3530",
    "--kelp-hover": "#1f2824",
    "--kelp-quiet": "#93a39b",
    "--mantine-color-dimmed": "#93a39b",
  },
});
