# The work of docs/comparison.md as Terraform or OpenTofu does it, against the Graph simulator.
terraform {
  required_providers {
    azuread = { source = "hashicorp/azuread" }
  }
}

# The provider learns where login and Graph are from this host; metadata.py answers there.
provider "azuread" {
  metadata_host = "localhost:38901"
  use_cli       = false
}

variable "token" {
  type      = string
  sensitive = true
}

# The service principal "Wiki" of the simulator's demo tenant.
resource "azuread_synchronization_secret" "wiki" {
  service_principal_id = "/servicePrincipals/7c1e4a52-90b3-4d6f-8a27-35e0d1c2b4a6"

  credential {
    key   = "BaseAddress"
    value = "https://scim.example.test/v2"
  }
  credential {
    key   = "SecretToken"
    value = var.token
  }

  # The provider's own limit is five minutes.
  timeouts {
    create = "2m"
    update = "2m"
    delete = "2m"
  }
}
