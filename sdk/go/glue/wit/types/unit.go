// Part of wit-bindgen-go 0.61.1, which makes the bindings beside it. Its licence is in LICENSE.

package wit_types

type Unit struct{}
