// What the page takes of three.js. `three.min.js` is made of it, in any folder, by
//   npm install three@0.187.0 esbuild@0.28.2
//   npx esbuild three.entry.js --bundle --minify --format=iife --global-name=THREE --charset=ascii
//     --banner:js="/* three.js 0.187.0, MIT licence, copyright 2010-2026 three.js authors */"
//     --legal-comments=none --outfile=three.min.js
export {
  AnimationMixer, BufferAttribute, BufferGeometry, CircleGeometry, Color, DirectionalLight, DoubleSide, HemisphereLight,
  InstancedMesh, LineBasicMaterial, Matrix4, Mesh, MeshBasicMaterial, OctahedronGeometry, PCFShadowMap, PerspectiveCamera,
  PlaneGeometry, Quaternion, Scene, ShaderMaterial, ShadowMaterial, SphereGeometry, Vector3, WebGLRenderer,
} from "three";
export { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
export { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
