;; Exports the right interfaces with nothing in them.
(component
  (instance $nothing)
  (export "andon:plugin/plugin@0.1.0" (instance $nothing))
  (export "andon:plugin/rule@0.1.0" (instance $nothing)))
