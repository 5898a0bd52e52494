/**
 * A step of the compiler: gives the exports the names of the contract, which are no identifiers of the language.
 */
const NAMES = {
  describe: "andon:plugin/plugin@0.1.0#describe",
  configure: "andon:plugin/plugin@0.1.0#configure",
  evaluate: "andon:plugin/rule@0.1.0#evaluate",
  compute: "andon:plugin/function@0.1.0#compute",
};

export default class {
  afterCompile(module) {
    const exports = [];
    for (let index = 0; index < module.getNumExports(); index += 1) {
      exports.push(this.binaryen.getExportInfo(module.getExportByIndex(index)));
    }
    for (const { name, value } of exports) {
      const post = name.endsWith("Post");
      const known = NAMES[post ? name.slice(0, -"Post".length) : name];
      if (known === undefined) continue;
      module.addFunctionExport(value, post ? `cabi_post_${known}` : known);
      module.removeExport(name);
    }
  }
}
