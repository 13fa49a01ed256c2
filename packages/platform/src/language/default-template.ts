/** Used when a model brings no chat template: ChatML, which most models without one understand best. */
export const defaultTemplate: string =
  "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}" +
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
