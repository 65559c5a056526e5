/** The Pulumi.yaml of a program that uses the plugin of the godwit in its node_modules. */
export const PLUGIN_PROJECT = `name: program
runtime: nodejs
plugins:
  providers:
    - name: godwit
      path: ./node_modules/godwit/plugin
`;
