/** Metadata name that marks an artifact whose content was also copied into the run's workspace. Source: the KFP SDK. */
export const WORKSPACE_MARK = "_kfp_workspace";
